// Type-ahead: the names that a few letters may mean, the likeliest first.
export type Option = { name: string; label: string; hint?: string }

export function plain(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{Diacritic}/gu, '')
    .toLowerCase()
    .replace(/[_\-,.()]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}

// How many letters must change at most, up to a limit: swapped neighbours count once.
export function distance(one: string, other: string, most: number): number {
  if (Math.abs(one.length - other.length) > most) return most + 1
  let before: number[] = []
  let last = Array.from({ length: other.length + 1 }, (_, k) => k)
  for (let i = 1; i <= one.length; i++) {
    const row = [i]
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1] ? 0 : 1
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same)
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1])
        best = Math.min(best, (before[j - 2] ?? 0) + 1)
      row.push(best)
    }
    before = last
    last = row
  }
  return last[other.length] ?? most + 1
}

function score(query: string, option: Option): number {
  const name = plain(option.name)
  const label = plain(option.label)
  if (name === query || label === query) return 0
  if (label.startsWith(query)) return 1
  if (name.startsWith(query)) return 2
  const words = label.split(' ')
  if (query.split(' ').every((part) => words.some((word) => word.startsWith(part)))) return 3
  if (label.includes(query) || name.includes(query)) return 4
  if (query.length < 3) return Number.POSITIVE_INFINITY
  const most = query.length < 6 ? 1 : 2
  const near = Math.min(
    distance(query, name, most),
    distance(query, label.slice(0, query.length + 1), most),
    ...words.map((word) => distance(query, word, most)),
  )
  return near <= most ? 4 + near : Number.POSITIVE_INFINITY
}

export function rank<T extends Option>(query: string, options: T[], most = 12): T[] {
  const given = plain(query)
  if (given === '') return options.slice(0, most)
  return options
    .map((option, place) => ({ option, place, score: score(given, option) }))
    .filter((item) => Number.isFinite(item.score))
    .sort((a, b) => a.score - b.score || a.place - b.place)
    .slice(0, most)
    .map((item) => item.option)
}
