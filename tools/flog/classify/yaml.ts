import { isNode, LineCounter, parseDocument } from 'yaml'
import { messageOf } from '../../../src/base/errors'

export interface Yaml {
  readonly data: unknown
  /** The line, from 1, of what stands at a path; of the nearest thing around it where nothing does. */
  lineOf(path: readonly (string | number)[]): number
}

export interface BadYaml {
  readonly line: number
  readonly message: string
}

/** Reads a YAML document, and keeps where in it everything stands. Never throws. */
export function readYaml(text: string): Yaml | BadYaml {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' })
  const [error] = document.errors
  if (error !== undefined) return { line: lines.linePos(error.pos[0]).line, message: error.message }
  const lineOf = (path: readonly (string | number)[]): number => {
    for (let length = path.length; length >= 0; length--) {
      const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true)
      if (isNode(node) && node.range) return lines.linePos(node.range[0]).line
    }
    return 1
  }
  try {
    return { data: document.toJS() as unknown, lineOf }
  } catch (failure) {
    // Aliases of aliases that would make more than anybody writes.
    return { line: 1, message: messageOf(failure) }
  }
}
