// The picture runtime: loaded when the first picture is looked at, never before. It runs a compiled
// specification by walking its syntax tree, so that the page's policy may forbid evaluating text as code.
import { transforms } from 'vega-dataflow'
import * as encode from 'vega-encode'
import { expressionInterpreter } from 'vega-interpreter'
import { parse } from 'vega-parser'
import * as basic from 'vega-transforms'
import { View } from 'vega-view'
import * as view from 'vega-view-transforms'

Object.assign(transforms, basic, encode, view)

export { expressionInterpreter, parse, View }
