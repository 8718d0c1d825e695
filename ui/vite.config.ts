import { readFileSync } from 'node:fs'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

const server = 'http://127.0.0.1:8765'

// What must be said when the server, which has all other text, does not answer at all.
const catalogue = readFileSync(new URL('../src/monazite/core/text/en.toml', import.meta.url), 'utf8')
const page = catalogue.split('\n[page]\n')[1]?.split('\n[')[0] ?? ''
const first = Object.fromEntries(
  ['server_gone', 'server_odd', 'try_again'].map((key) => [
    key,
    JSON.parse(page.match(new RegExp(`^${key} = (".*")$`, 'm'))?.[1] ?? '""'),
  ]),
)

export default defineConfig({
  plugins: [svelte()],
  define: { FIRST_TEXT: JSON.stringify(first) },
  build: {
    outDir: '../src/monazite/server/page',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  server: { proxy: { '/api': server, '/theme.css': server } },
})
