import { FATAL, severityOf } from '../../event/severity'

/**
 * The level words that are looked for in plain text. Fewer than `severityOf` knows: `data`, `help`, `http`, `success` are
 * levels somewhere, but at the start of a line they are mostly just words.
 */
const WORDS = [
  'trace',
  'silly',
  'debug',
  'verbose',
  'info',
  'information',
  'notice',
  'warn',
  'warning',
  'error',
  'err',
  'severe',
  'critical',
  'crit',
  'fatal',
  'alert',
  'emerg',
  'emergency',
  'panic',
] as const

/** Four letters, as .NET's console logger writes them, and the two words of compilers and of Go. */
const MORE_WORDS: ReadonlyMap<string, string> = new Map([
  ['trce', 'trace'],
  ['dbug', 'debug'],
  ['fail', 'error'],
  ['fatal error', 'fatal'],
])

const SEVERITIES: ReadonlyMap<string, number> = new Map([
  ...WORDS.map((word): [string, number] => [word, severityOf(word) ?? FATAL]),
  ...[...MORE_WORDS].map(([word, same]): [string, number] => [word, severityOf(same) ?? FATAL]),
])

/** For use inside a regular expression. */
export const WORD_PATTERN = [...SEVERITIES.keys()].sort((a, b) => b.length - a.length).join('|')

/** Severity of a level word of plain text, in any case. */
export function severityOfWord(word: string): number | undefined {
  return SEVERITIES.get(word.toLowerCase())
}
