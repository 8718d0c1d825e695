import { describe, expect, test } from 'vitest'
import { assessQuery, explainUrl, queryOf, SAMPLES, sameControl, stressBody, studyBody } from './questions'

const params = (text: string) => new URLSearchParams(text)

describe('between the URL and the question', () => {
  test('what is not said is left out, lists repeat their name', () => {
    expect(queryOf({ by: 'CHN', on: ['dy_oxide', 'tb_oxide'], to: '', year: null })).toBe(
      'by=CHN&on=dy_oxide&on=tb_oxide',
    )
  })
  test('what the page keeps for itself is not asked', () => {
    expect(assessQuery(params('subject=IND&chain=rare_earths&view=map&cell=x'))).toBe(
      'subject=IND&chain=rare_earths',
    )
  })
  test('numbers are numbers, lists are lists', () => {
    expect(stressBody(params('by=CHN&on=a,b&cut=0.8&months=12&belief=foresight&group=QUAD'))).toEqual({
      by: 'CHN',
      on: ['a', 'b'],
      cut: 0.8,
      months: 12,
      belief: 'foresight',
    })
  })
  test('a number that cannot be read goes to the server as it stands', () => {
    expect(stressBody(params('by=CHN&on=a&cut=much'))).toEqual({ by: 'CHN', on: ['a'], cut: 'much' })
  })
  test('a study is its restriction and a number of scenarios, stated or not', () => {
    expect(studyBody(params('by=CHN&on=a&samples=64&seed=3&group=QUAD&headline=price'))).toEqual({
      by: 'CHN',
      on: ['a'],
      headline: 'price',
      samples: 64,
      seed: 3,
    })
    expect(studyBody(params('control=X'))).toEqual({ control: 'X', samples: SAMPLES })
    expect(studyBody(params('view=prices'))).toEqual({})
    expect(stressBody(params('by=CHN&samples=64'))).toEqual({ by: 'CHN' })
  })
  test('a restriction is the same on either page; what is looked at there stays there', () => {
    const here = params('by=CHN&on=a&cut=0.5&horizon=72&samples=64&group=QUAD&view=map&cell=x')
    expect(sameControl('study', here)).toBe('/study?by=CHN&on=a&cut=0.5&samples=64&group=QUAD')
    expect(sameControl('stress', here)).toBe('/stress?by=CHN&on=a&cut=0.5&group=QUAD')
  })
  test('an explanation is beside its table', () => {
    expect(explainUrl('/api/assess/table.csv?subject=IND', 'a b')).toBe(
      '/api/assess/explain?subject=IND&cell=a%20b',
    )
    expect(explainUrl('/api/runs/7/table.csv', 'c')).toBe('/api/runs/7/explain?cell=c')
  })
})
