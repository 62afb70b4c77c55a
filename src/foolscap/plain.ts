import type { Plain, PlainObject } from '../event/event'
import { Float, type Value } from './json'
import { isDict, isList } from './python'

/** Levels of lists and dictionaries that are kept: readers of incident files take 64, and tags take some. */
const DEPTH = 40
const ONLY_DOLLARS = /^\$+$/

/** A value as fields of our events hold it: what plain data lacks is tagged (see `event/tagged.ts`). */
export function plainOf(value: Value, depth = DEPTH): Plain {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return value
  if (typeof value === 'bigint') return { $: 'bigint', v: String(value) }
  if (typeof value === 'string') return textOf(value)
  if (value instanceof Float) return value.value
  if (depth === 0) return { $: 'deep', v: isList(value) ? 'Array' : 'Object' }
  if (isList(value)) return value.map((item) => plainOf(item, depth - 1))
  return placeholder(value) ?? record(value, depth)
}

/** The entries of a dictionary as fields. */
export function record(entries: Iterable<readonly [string, Value]>, depth = DEPTH): PlainObject {
  const object: Record<string, Plain> = Object.create(null)
  for (const [key, value] of entries) {
    const name = ONLY_DOLLARS.test(key) ? `${key}$` : key.toWellFormed()
    object[name] = plainOf(value, depth - 1)
  }
  return object
}

/** Foolscap's own explanation is the same long text each time. */
const EXPLANATION = 'log.msg() was given an object that could not be encoded into JSON'
export const UNJSONABLE_TEXT = `${EXPLANATION}. I've replaced it with this UnJSONable object. The object's repr is in .repr`

/** What Foolscap puts in the place of an object that JSON has no words for; without the explanation. */
function placeholder(value: Value): Plain | undefined {
  if (!isDict(value) || value.get('@') !== 'UnJSONable' || typeof value.get('repr') !== 'string')
    return undefined
  const message = value.get('message')
  if (typeof message !== 'string' || !message.startsWith(EXPLANATION)) return undefined
  return record([...value].filter(([key]) => key !== 'message'))
}

function textOf(text: string): Plain {
  if (text.isWellFormed()) return text
  const units = new Uint8Array(text.length * 2)
  const view = new DataView(units.buffer)
  for (let i = 0; i < text.length; i++) view.setUint16(i * 2, text.charCodeAt(i), true)
  return { $: 'text', v: units }
}
