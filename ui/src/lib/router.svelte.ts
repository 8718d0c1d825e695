// The state of the page is its URL and nothing else: this module reads it and changes it.
export const here = $state({ path: location.pathname, search: location.search })

function read(): void {
  here.path = location.pathname
  here.search = location.search
}

export function query(): URLSearchParams {
  return new URLSearchParams(here.search)
}

// Another page begins at its top, also for who reads by keyboard or ear.
export function go(url: string, how: 'push' | 'replace' = 'push'): void {
  const before = here.path
  if (how === 'push') history.pushState({ ours: true }, '', url)
  else history.replaceState(history.state, '', url)
  read()
  if (here.path === before) return
  scrollTo(0, 0)
  queueMicrotask(() => document.getElementById('main')?.focus())
}

// The URL of the page with some parameters changed; null takes one away.
export function changed(values: Record<string, string | null>): string {
  const params = query()
  for (const [name, value] of Object.entries(values)) {
    if (value === null) params.delete(name)
    else params.set(name, value)
  }
  const text = params.toString()
  return here.path + (text ? `?${text}` : '')
}

// Take a parameter away: by going back where it was added by us, so that Back never meets it again.
export function drop(name: string): void {
  if (history.state?.added === name) history.back()
  else go(changed({ [name]: null }), 'replace')
}

export function add(name: string, value: string): void {
  const url = changed({ [name]: value })
  if (history.state?.added === name) history.replaceState({ ours: true, added: name }, '', url)
  else history.pushState({ ours: true, added: name }, '', url)
  read()
}

function onClick(event: MouseEvent): void {
  if (
    event.defaultPrevented ||
    event.button ||
    event.metaKey ||
    event.ctrlKey ||
    event.shiftKey ||
    event.altKey
  )
    return
  const link = (event.target as Element).closest('a')
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return
  if (link.pathname.startsWith('/api') || link.getAttribute('href')?.startsWith('#')) return
  event.preventDefault()
  go(link.href)
}

export function listen(): () => void {
  addEventListener('popstate', read)
  document.addEventListener('click', onClick)
  return () => {
    removeEventListener('popstate', read)
    document.removeEventListener('click', onClick)
  }
}
