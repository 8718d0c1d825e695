import { describe, expect, test } from 'vitest'
import { distance, plain, rank } from './search'

const names = [
  { name: 'rare_earths', label: 'rare earths' },
  { name: 'gallium', label: 'gallium' },
  { name: 'dy_oxide', label: 'Dysprosium oxide' },
  { name: 'dy_metal', label: 'Dysprosium metal' },
  { name: 'IND', label: 'India' },
  { name: 'IDN', label: 'Indonesia' },
  { name: 'CIV', label: 'Côte d’Ivoire' },
]
const found = (query: string) => rank(query, names).map((item) => item.name)

describe('type-ahead', () => {
  test('a code, a name and the beginning of either are found', () => {
    expect(found('IND')[0]).toBe('IND')
    expect(found('dy_ox')).toEqual(['dy_oxide'])
    expect(found('dysprosium')).toEqual(['dy_oxide', 'dy_metal'])
    expect(found('indo')).toEqual(['IDN', 'IND'])
  })
  test('words may come short and in any order, accents may be left out', () => {
    expect(found('oxide dys')).toEqual(['dy_oxide'])
    expect(found('cote')).toEqual(['CIV'])
  })
  test('a slip of the finger is forgiven, nonsense is not', () => {
    expect(found('galium')).toEqual(['gallium'])
    expect(found('dysprosuim oxide')).toContain('dy_oxide')
    expect(found('qqqq')).toEqual([])
  })
  test('nothing typed shows all, in the order given', () => {
    expect(found('')).toEqual(names.map((item) => item.name))
  })
  test('distance counts swapped neighbours once and stops at its limit', () => {
    expect(distance('gallium', 'galluim', 2)).toBe(1)
    expect(distance('gallium', 'tin', 2)).toBe(3)
  })
  test('plain', () => {
    expect(plain('  Neodymium-Praseodymium_oxide. ')).toBe('neodymium praseodymium oxide')
  })
})
