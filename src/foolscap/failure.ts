import type { ErrorRecord, PlainObject } from '../event/event'
import type { Dict, Value } from './json'
import { record } from './plain'
import { isDict, pythonStr } from './python'

/**
 * A Failure of Twisted as an error. Its traceback is the stack; name and message are in its `repr`, with everything that its
 * `str` says being in the traceback too. What is no Failure, or has more to it, is kept beside.
 */
export function errorOfFailure(failure: Value): ErrorRecord {
  if (!isDict(failure)) return { name: 'Failure', message: pythonStr(failure).toWellFormed() }
  const traceback = textAt(failure, 'traceback')
  const told = toldBy(textAt(failure, 'repr')) ?? toldByLastLine(traceback)
  const isPlain = told !== undefined && traceback !== undefined
  const rest = [...failure].filter(([key, value]) => !isKnown(key, value, isPlain))
  const fields: PlainObject = record(rest)
  return {
    name: told?.name ?? 'Failure',
    message: told?.message ?? textAt(failure, 'str')?.trimEnd() ?? '',
    ...(traceback !== undefined && { stack: traceback.trimEnd() }),
    ...(rest.length > 0 && { fields }),
  }
}

interface Told {
  readonly name: string
  readonly message: string
}

/** `<twisted.python.failure.Failure builtins.KeyError: 'missing'>` */
const REPR = /^<[\w.]+ ([\w.]+?)(?:: (.*))?>$/s
const LAST_LINE = /^(?:Failure: )?([A-Za-z_][\w.]*)(?:: (.*))?$/

function toldBy(repr: string | undefined): Told | undefined {
  const match = repr === undefined ? null : REPR.exec(repr)
  return match?.[1] === undefined ? undefined : { name: shortName(match[1]), message: match[2] ?? '' }
}

function toldByLastLine(traceback: string | undefined): Told | undefined {
  const match = LAST_LINE.exec(traceback?.trimEnd().split('\n').at(-1) ?? '')
  return match?.[1] === undefined ? undefined : { name: shortName(match[1]), message: match[2] ?? '' }
}

/** Python 2 called the module `exceptions`. */
function shortName(name: string): string {
  return name.replace(/^(?:builtins|exceptions)\./, '')
}

function isKnown(key: string, value: Value, isPlain: boolean): boolean {
  if (key === 'traceback') return typeof value === 'string'
  if (key === '@') return value === 'Failure'
  return isPlain && (key === 'str' || key === 'repr') && typeof value === 'string'
}

function textAt(failure: Dict, key: string): string | undefined {
  const value = failure.get(key)
  return typeof value === 'string' ? value.toWellFormed() : undefined
}
