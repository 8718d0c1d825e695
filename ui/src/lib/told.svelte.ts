// What the page is about just now: the title of the window, and what is said to who cannot see an answer come.
export const told = $state({ title: '' })
