import { syslogSeverity } from '../../event/severity'
import { logfmtLine } from './logfmt'
import { NO_FIELDS, type RecognisedLine } from './recognised'
import { timeAtStart } from './time'
import { severityOfWord, WORD_PATTERN } from './words'

/**
 * A plain line. Time and level are taken from where loggers put them, the beginning of the line, and only where they
 * stand apart as such: `[error]`, `ERROR`, `error:`, `level=error`, `<3>`. A word inside a sentence is a word. What was
 * taken is left out of the message, everything else stays.
 */
export function plainLine(text: string): RecognisedLine {
  return logfmtLine(text) ?? prefixedLine(text)
}

interface Prefix {
  rest: string
  /** Thread, process or logger names that stood before the level. */
  context: string
  severity: number | undefined
  time: number | undefined
}

/** A prefix has few parts. More than these are no prefix. */
const MAX_PARTS = 6

function prefixedLine(text: string): RecognisedLine {
  const prefix: Prefix = { rest: text, context: '', severity: undefined, time: undefined }
  for (let parts = 0; parts < MAX_PARTS && prefix.severity === undefined; parts++) {
    if (!RULES.some((rule) => rule(prefix))) break
  }
  const { severity, time } = prefix
  // Without a level the names before it are the beginning of the message, separators and all.
  const message =
    severity === undefined ? afterTime(text, time) : `${prefix.context}${trimSeparator(prefix.rest)}`
  const found = severity ?? severityOfPair(text)
  return {
    format: 'plain',
    message: message === '' ? text : message,
    fields: NO_FIELDS,
    ...(found !== undefined && { severity: found }),
    ...(time !== undefined && { time }),
  }
}

function afterTime(text: string, time: number | undefined): string {
  if (time === undefined) return text
  const bare = text.replace(/^(?:<\d{1,3}>1? ?)?\[?/, '')
  const length = timeAtStart(bare)?.length
  if (length === undefined) return text
  return trimSeparator(text.startsWith('[') ? bare.slice(length).replace(/^\]/, '') : bare.slice(length))
}

/** Each takes one part off the front of `rest`, or leaves it alone and answers false. */
const RULES: readonly ((prefix: Prefix) => boolean)[] = [
  takeTime,
  takeSyslogPriority,
  takeGlog,
  takeRubyLetter,
  takeBracketedTime,
  takeLevel,
  takeNpmLevel,
  takeContext,
]

function takeTime(prefix: Prefix): boolean {
  if (prefix.time !== undefined) return false
  const found = timeAtStart(prefix.rest)
  if (found === undefined) return false
  prefix.time = found.time
  prefix.rest = prefix.rest.slice(found.length).trimStart()
  return true
}

/** `<11>` of RFC 5424, and `<3>` as systemd takes it from standard output: the level is the lowest three bits. */
function takeSyslogPriority(prefix: Prefix): boolean {
  const match = /^<(\d{1,3})>(?:1 (?=\d{4}-))?/.exec(prefix.rest)
  if (match === null || Number(match[1]) > 191 || prefix.context !== '') return false
  const rest = prefix.rest.slice(match[0].length)
  const time = timeAtStart(rest)
  prefix.severity = syslogSeverity(Number(match[1]) & 7)
  prefix.time = time?.time ?? prefix.time
  prefix.rest = rest.slice(time?.length ?? 0).trimStart()
  return true
}

const GLOG = /^([IWEF])\d{4} \d\d:\d\d:\d\d(?:\.\d+)? +(?=\d+ \S+:\d+\])/
const GLOG_WORDS: ReadonlyMap<string, string> = new Map([
  ['I', 'info'],
  ['W', 'warn'],
  ['E', 'error'],
  ['F', 'fatal'],
])

/** glog and klog: `E1121 20:31:05.123456    4711 pool.go:42] connection lost`; it has no year, so no time is taken. */
function takeGlog(prefix: Prefix): boolean {
  const match = GLOG.exec(prefix.rest)
  if (match === null) return false
  prefix.severity = severityOfWord(GLOG_WORDS.get(match[1] ?? '') ?? '')
  prefix.rest = prefix.rest.slice(match[0].length)
  return true
}

/** Ruby's Logger: `E, [2026-11-21T20:31:05.123456 #4711] ERROR -- : connection lost`. */
function takeRubyLetter(prefix: Prefix): boolean {
  const match = /^[DIWEFA], \[(\S+) #\d+\]\s+(?=[A-Z]+ -- )/.exec(prefix.rest)
  const found = match === null ? undefined : timeAtStart(match[1] ?? '')
  if (match === null || found === undefined) return false
  prefix.time = found.time
  prefix.rest = prefix.rest.slice(match[0].length)
  return true
}

/** `[2026-11-21T20:31:05Z]`, and `[2026-11-21T20:31:05Z ERROR app::db]` as env_logger writes it. */
function takeBracketedTime(prefix: Prefix): boolean {
  if (prefix.time !== undefined || !prefix.rest.startsWith('[')) return false
  const found = timeAtStart(prefix.rest.slice(1))
  if (found === undefined) return false
  const after = prefix.rest.slice(1 + found.length)
  const close = /^(?: ([A-Z]+)\b([^\]]{0,80}))?\]\s*/.exec(after)
  if (close === null) return false
  const severity = close[1] === undefined ? undefined : severityOfWord(close[1])
  if (close[1] !== undefined && severity === undefined) return false
  prefix.time = found.time
  prefix.severity = severity
  prefix.context += close[2]?.trim() ? `${close[2].trim()}: ` : ''
  prefix.rest = after.slice(close[0].length)
  return true
}

const LEVEL_FORMS: readonly RegExp[] = [
  // [error], [ERROR], [core:error], (warn), <info>
  new RegExp(
    `^(?:\\[ *(?:[\\w.-]{1,40}:)?(${WORD_PATTERN}) *\\]|\\((${WORD_PATTERN})\\)|<(${WORD_PATTERN})>):?(?=\\W|$)`,
    'i',
  ),
  // ERROR standing apart
  new RegExp(`^(${WORD_PATTERN.toUpperCase()})(?=[\\s:|\\],-]|$)`),
  // error: at the beginning of the line or after its time; Error:
  new RegExp(`^(${WORD_PATTERN}):(?=\\s|$)`, 'i'),
  // path/file.c:12:3: error: as compilers write it
  new RegExp(`^(?=\\S{1,200}:\\d+(?::\\d+)?: (${WORD_PATTERN}): )`),
  // app.ERROR: as monolog writes it
  new RegExp(`^(?=[\\w-]{1,40}\\.(${WORD_PATTERN.toUpperCase()}): )`),
  // error | as docker compose and some formatters align it
  new RegExp(`^(${WORD_PATTERN}) +\\| `, 'i'),
]

function takeLevel(prefix: Prefix): boolean {
  for (const form of LEVEL_FORMS) {
    const match = form.exec(prefix.rest)
    const word = match?.slice(1).find((group) => group !== undefined)
    const severity = word === undefined ? undefined : severityOfWord(word)
    if (match === null || severity === undefined) continue
    prefix.severity = severity
    prefix.rest = prefix.rest.slice(match[0].length)
    return true
  }
  return false
}

/** `npm ERR!`, `npm error`, `npm warn`. */
function takeNpmLevel(prefix: Prefix): boolean {
  const match = /^npm (ERR!|WARN|notice|warn|error)(?= )/.exec(prefix.rest)
  if (match === null) return false
  prefix.severity = severityOfWord((match[1] ?? '').replace('!', ''))
  prefix.rest = prefix.rest.slice(match[0].length)
  return true
}

/** A time of day without a day, a bracketed name, a name before a dash or a bar, `host app[4711]:`. */
const CONTEXT =
  /^(?:(?:[A-Z][a-z]{2} [ \d]\d )?\d\d:\d\d:\d\d(?:[.,]\d+)?\s+|\[[^\]]{0,80}\]\s*|[\w.$/:-]{1,80}\s+[-|]\s+|[-|]\s+|(?:[\w.-]{1,64} )?[\w./-]{1,64}\[\d{1,10}\]:\s+)/

/**
 * Something between the time and the level: `[main]`, `db.pool -`, `host app[4711]:`. It stays in the message. A bare
 * word is not skipped: in `got ERROR from upstream` the level word is part of a sentence.
 */
function takeContext(prefix: Prefix): boolean {
  const match = CONTEXT.exec(prefix.rest)
  if (match === null) return false
  prefix.context += match[0] === '- ' || match[0] === '| ' ? '' : match[0].replace(/\s*$/, ' ')
  prefix.rest = prefix.rest.slice(match[0].length)
  return true
}

const LEVEL_PAIR = /(?:^|\s)(?:level|lvl|severity)=("?)([A-Za-z]{1,12})\1(?=[\s,;]|$)/

/** `level=warn` anywhere says what it says. */
function severityOfPair(text: string): number | undefined {
  const match = LEVEL_PAIR.exec(text)
  return match === null ? undefined : severityOfWord(match[2] ?? '')
}

/** A separator stands apart: the minus of `-5` is not one. */
function trimSeparator(text: string): string {
  return text.replace(/^:?\s*(?:(?:--|[-|:])\s+(?::\s+)?)?/, '')
}
