// What we use of the picture runtime; its packages carry no types of their own.
declare module 'vega-dataflow' {
  export const transforms: Record<string, unknown>
}
declare module 'vega-encode'
declare module 'vega-transforms'
declare module 'vega-view-transforms'
declare module 'vega-interpreter' {
  export const expressionInterpreter: unknown
}
declare module 'vega-parser' {
  export function parse(specification: unknown, config: object, options: { ast: boolean }): unknown
}
declare module 'vega-view' {
  type Options = { expr: unknown; renderer: 'svg'; container: HTMLElement; hover: boolean }
  export class View {
    constructor(runtime: unknown, options: Options)
    tooltip(handler: () => void): this
    addEventListener(kind: string, listener: (event: MouseEvent, item: unknown) => void): this
    runAsync(): Promise<this>
    finalize(): void
  }
}
