// The shapes of the API, as server/shapes.py describes them.
export type Kind = 'reported' | 'estimated' | 'derived' | 'modelled' | 'assumed'

export type Cell = {
  text: string
  within?: string
  kind?: Kind
  blank?: boolean
  number?: boolean
  cell_id?: string
  fact?: number
}

export type Table = {
  caption: string
  heads: string[]
  labels: number
  groups: { label: string; rows: Cell[][] }[]
  key: { kind: Kind; letter: string; label: string }[]
}

export type View = {
  name: string
  tab: string
  title: string
  sentence: string
  notes: string[]
  tables: Table[]
  links: { csv: string; json: string; svg: string; vega: string }
}

export type Finding = {
  sentence: string
  kind: Kind | null
  kind_label: string | null
  soft: string | null
  detail: string
  cell_id: string | null
}

export type Source = {
  number: number
  source: string
  citation: string | null
  url: string | null
  published: string | null
  retrieved: string | null
  licence: string | null
}

export type Answer = {
  question: Record<string, unknown>
  title: string
  findings: Finding[]
  views: View[]
  why: { cell_id: string; label: string; cell: Cell }[]
  help: { sentences: string[]; view: View | null } | null
  sources: Source[]
  manifest: { name: string; value: string }[]
  links: { csv: string; json: string }
}

export type Explanation = {
  title: string
  value: Cell
  value_kind: string | null
  grey: string | null
  formula: string
  paragraphs: string[]
  tables: Table[]
  sources: Source[]
}

export type Run = {
  id: string
  kind: 'stress' | 'study' | 'brief'
  title: string
  state: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled'
  done: number
  of: number
  seconds: number
  left: number | null
  rate: number | null
  step: string
  error: string | null
  page: string
  question: Record<string, unknown>
}

export type Named = { name: string; label: string }
export type Choice = Named & { count: number }

export type Start = {
  version: string
  text: Record<string, string>
  places: Named[]
  groups: (Named & { members: string[] })[]
  chains: (Named & { years: number[] })[]
  things: (Named & { chain: string; stage: string })[]
  uses: (Named & { chain: string })[]
  controls: {
    id: string
    title: string
    by: string
    announced: string
    status: string
    paths: string[]
  }[]
  examples: { assess: Record<string, unknown>; stress: Record<string, unknown> }
}

export type Facts = {
  count: number
  offset: number
  limit: number
  chain: string
  year: number
  table: Table
  choices: Record<string, Choice[]>
  links: { csv: string; json: string }
}

export type Contents = {
  chains: (Named & {
    years: number[]
    facts: number
    kinds: { kind: Kind; label: string; count: number }[]
  })[]
}

export type Check = {
  rows: number
  problems: { row: number | null; column: string | null; message: string }[]
  sentence: string
}

export type Imported = {
  file: string
  recognised: { format: string; title: string; published: string; source: string; vintage: string }
  rows: number
  counts: Record<string, number>
  sentence: string
  problems: { row: number | null; column: string | null; message: string }[]
  problem_count: number
  effects: (Named & { facts: number; flows: number })[]
  tables: Table[]
  notes: string[]
  sources: Source[]
  command: string
}

export type Coverage = {
  summary: string[]
  view: View
  counts: Table
  links: { csv: string; json: string }
}

export type ProductListed = Named & {
  counted: string
  chains: string[]
  commodities: number
  help: string
}

export type ProductPage = {
  product: ProductListed
  views: View[]
  figures: Table
  sources: Source[]
  links: { csv: string; json: string }
}

export type Records = {
  count: number
  table: Table
  choices: Record<string, Choice[]>
  sources: Source[]
  links: { csv: string; json: string }
}

export type Shares = {
  chain: string
  table: Table
  published: Table
  sources: Source[]
  links: { csv: string; json: string }
}
