// Light, dark, or as the system has it: a preference, kept on this machine.
export type Theme = 'system' | 'light' | 'dark'
const KEY = 'monazite-theme'

function stored(): Theme {
  try {
    const found = localStorage.getItem(KEY)
    return found === 'light' || found === 'dark' ? found : 'system'
  } catch {
    return 'system'
  }
}

export const theme = $state<{ chosen: Theme }>({ chosen: stored() })

export function apply(chosen: Theme): void {
  theme.chosen = chosen
  if (chosen === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = chosen
  try {
    if (chosen === 'system') localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, chosen)
  } catch {
    // without a place to keep it the choice holds for this visit
  }
}
