import { get } from './api'
import type { Option } from './search'
import { setText } from './text'
import type { Start } from './types'

// Names of everything, read once before the first page is shown.
let known: Start | null = null

export async function load(): Promise<void> {
  known = await get<Start>('/api/start')
  setText(known.text)
}

export function start(): Start {
  if (known === null) throw new Error('start is not loaded')
  return known
}

export function places(): Option[] {
  return start().places.map((place) => ({ ...place, hint: place.name }))
}

export function subjects(): Option[] {
  const groups = start().groups.map((group) => ({
    name: group.name,
    label: group.label,
    hint: group.members.length > 6 ? group.name : group.members.join(' '),
  }))
  return [...groups, ...places()]
}

// Chains first, then their commodities; a name that is both means the chain.
export function things(): Option[] {
  const chains = start().chains
  const label = new Map(chains.map((chain) => [chain.name, chain.label]))
  return [
    ...chains.map((chain) => ({ ...chain, hint: chain.years.join(', ') })),
    ...start()
      .things.filter((thing) => !label.has(thing.name))
      .map((thing) => ({ ...thing, hint: label.get(thing.chain) ?? '' })),
  ]
}

export function isChain(name: string): boolean {
  return start().chains.some((chain) => chain.name === name)
}

export function labelOf(name: string): string {
  const all = [...start().groups, ...start().places, ...start().chains, ...start().things]
  return all.find((item) => item.name === name)?.label ?? name
}
