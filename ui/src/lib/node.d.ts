// What the build's configuration uses of node, which would else need a package of types.
declare module 'node:fs' {
  export function readFileSync(path: URL, encoding: 'utf8'): string
}
