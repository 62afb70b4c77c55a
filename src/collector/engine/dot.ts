import type { EngineReport, PartReport } from './report'

const COLOURS: Readonly<Record<PartReport['state'], string>> = {
  started: 'palegreen',
  starting: 'lightyellow',
  waiting: 'khaki',
  stopping: 'lightblue',
  stopped: 'lightgrey',
  abandoned: 'tomato',
}

/** The graph of parts in the language of Graphviz: from input to dependent, soft ones dashed, an input that nobody is dotted. */
export function dotOf({ manifolds }: EngineReport): string {
  const parts = Object.entries(manifolds)
  const known = new Set(parts.map(([name]) => name))
  const unknown = new Set(parts.flatMap(([, { inputs, soft }]) => [...inputs, ...soft]))
  const lines = [
    'digraph engine {',
    '  rankdir=LR',
    '  node [shape=box, style=filled]',
    ...parts.map(
      ([name, part]) => `  ${quoted(name)} [label=${label(name, part)}, fillcolor=${colour(part)}]`,
    ),
    ...[...unknown].filter((name) => !known.has(name)).map((name) => `  ${quoted(name)} [style=dotted]`),
    ...parts.flatMap(([name, { inputs, soft }]) => [
      ...inputs.map((input) => `  ${quoted(input)} -> ${quoted(name)}`),
      ...soft.map((input) => `  ${quoted(input)} -> ${quoted(name)} [style=dashed]`),
    ]),
    '}',
  ]
  return `${lines.join('\n')}\n`
}

function colour({ state, killed }: PartReport): string {
  return killed === true ? 'red' : COLOURS[state]
}

function label(name: string, { state, killed, error }: PartReport): string {
  const why = error === undefined ? '' : `\n${error}`
  return quoted(`${name}\n${killed === true ? 'killed' : state}${why}`)
}

function quoted(text: string): string {
  const escaped = text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\r?\n/g, '\\n')
  return `"${escaped}"`
}
