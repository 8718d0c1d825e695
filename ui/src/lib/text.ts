// Every sentence comes from the text catalogue, by its key; this file only fills in values.
declare const FIRST_TEXT: Record<string, string>
let text: Record<string, string> = FIRST_TEXT

export function setText(given: Record<string, string>): void {
  text = given
}

export function say(key: string, values: Record<string, string | number> = {}): string {
  return (text[key] ?? key).replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))
}

export type Part = { text: string } | { slot: string }

// A sentence cut at its places for values, so that each can hold a control; the order is the catalogue's.
export function parts(key: string): Part[] {
  return (text[key] ?? key)
    .split(/(\{\w+\})/)
    .filter((part) => part !== '')
    .map((part) => (part.startsWith('{') ? { slot: part.slice(1, -1) } : { text: part }))
}
