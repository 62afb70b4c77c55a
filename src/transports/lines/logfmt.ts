import { parsedLine } from './json'
import type { RecognisedLine } from './recognised'

const PAIR = /\s*([A-Za-z_][\w.@/-]{0,80})=("(?:[^"\\]|\\.)*"|[^\s"=]*)(?=\s|$)/y

/** A line that consists of `key=value` pairs alone, a level or a message among them; undefined for any other. */
export function logfmtLine(text: string): RecognisedLine | undefined {
  const members = pairsOf(text)
  if (members === undefined) return undefined
  const line = parsedLine(members)
  return line === undefined ? undefined : { ...line, format: 'logfmt' }
}

function pairsOf(text: string): Map<string, unknown> | undefined {
  if (!text.includes('=')) return undefined
  const members = new Map<string, unknown>()
  PAIR.lastIndex = 0
  const end = text.trimEnd().length
  while (PAIR.lastIndex < end) {
    const match = PAIR.exec(text)
    if (match === null) return undefined
    members.set(match[1] ?? '', unquote(match[2] ?? ''))
  }
  return members.size >= 2 ? members : undefined
}

function unquote(value: string): string {
  if (!value.startsWith('"')) return value
  try {
    return String(JSON.parse(value))
  } catch {
    return value.slice(1, -1)
  }
}
