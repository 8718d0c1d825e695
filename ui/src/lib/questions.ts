// Between the page's URL and what the API is asked: the names are the same on both sides.
const ASSESS = ['subject', 'chain', 'commodity', 'by', 'year'] as const
const STRESS = [
  'control',
  'path',
  'by',
  'on',
  'cut',
  'months',
  'start',
  'kind',
  'to',
  'horizon',
  'belief',
  'chain',
  'year',
] as const
// what a restriction is, whatever is asked about it
const CONTROL = STRESS.filter((name) => name !== 'belief' && name !== 'horizon')
const STUDY = [...CONTROL, 'horizon', 'samples', 'seed', 'headline'] as const
const MANY = new Set(['chain', 'on'])
const NUMBERS = new Set(['cut', 'months', 'horizon', 'year', 'belief', 'samples', 'seed'])
// how many scenarios a study has: as asked for first, and the bounds of what may be asked for
export const SAMPLES = 256
export const LEAST = 16
export const MOST = 2048

export type Values = Record<string, string | number | string[] | undefined | null>

// The query of a question: lists repeat their name, what is not said is left out.
export function queryOf(values: Values): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === null || value === '') continue
    for (const item of Array.isArray(value) ? value : [value]) params.append(name, String(item))
  }
  return params.toString()
}

function only(params: URLSearchParams, names: readonly string[]): URLSearchParams {
  const kept = new URLSearchParams()
  for (const name of names) for (const value of params.getAll(name)) kept.append(name, value)
  return kept
}

export function assessQuery(params: URLSearchParams): string {
  return only(params, ASSESS).toString()
}

// The body that begins a run. A number that cannot be read is sent as it stands: the server says what is wrong.
export function stressBody(params: URLSearchParams): Record<string, unknown> {
  return body(params, STRESS)
}

// A study is told from the restriction that it asks about by its number of scenarios.
export function studyBody(params: URLSearchParams): Record<string, unknown> {
  const found = body(params, STUDY)
  return Object.keys(found).length === 0 ? found : { samples: SAMPLES, ...found }
}

// The same restriction on another page: its address there. Months simulated are another thing on each.
export function sameControl(page: 'stress' | 'study', params: URLSearchParams): string {
  const kept = only(params, [...CONTROL, ...(page === 'study' ? ['samples'] : []), 'group'])
  return `/${page}?${kept}`
}

function body(params: URLSearchParams, names: readonly string[]): Record<string, unknown> {
  const body: Record<string, unknown> = {}
  for (const name of names) {
    const values = params.getAll(name).filter((value) => value !== '')
    if (values.length === 0) continue
    const first = values[0] as string
    if (MANY.has(name)) body[name] = values.flatMap((value) => value.split(','))
    else if (
      NUMBERS.has(name) &&
      first !== 'foresight' &&
      first.trim() !== '' &&
      !Number.isNaN(Number(first))
    )
      body[name] = Number(first)
    else body[name] = first
  }
  return body
}

// The address of an explanation, beside the table that the cell stands in.
export function explainUrl(table: string, cell: string): string {
  const [path = '', rest] = table.split('?')
  const start = path.replace(/\/table\.csv$/, '/explain')
  return `${start}?${rest ? `${rest}&` : ''}cell=${encodeURIComponent(cell)}`
}
