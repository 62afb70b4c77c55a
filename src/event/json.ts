import type { Plain } from './event'
import { missingText, wordFor } from './render'
import { meaningOf } from './tagged'

/**
 * A value for programs, that `JSON.stringify` keeps as it is. What JSON lacks becomes:
 *
 * | value | JSON |
 * | --- | --- |
 * | BigInt | its digits as text |
 * | Date | ISO text; null where invalid |
 * | bytes | base64 text |
 * | other typed arrays | array of numbers |
 * | Map | object where all keys are text, else array of pairs |
 * | Set | array |
 * | Error | object with name, message, stack, code, cause, errors, fields |
 * | -0 | 0 |
 * | NaN, ±Infinity | text |
 * | undefined | null |
 * | URL, RegExp | text |
 * | Symbol, function, circular, too deep, thrown | text as `renderPlain` has it |
 * | cut text | what was kept, then `… (+N bytes)` |
 * | cut list | what was kept, then the text `… (+N entries)` |
 * | cut object | what was kept, and the key `…` with the text `+N entries` |
 *
 * Objects have no prototype. Never throws.
 */
export function toJson(value: Plain): unknown {
  return json(value, DEPTH)
}

/** Deeper than any decoder lets through; a value made in memory might be. */
const DEPTH = 100

function json(value: Plain, depth: number): unknown {
  const meaning = meaningOf(value)
  if (depth === 0) return '[too deep]'
  switch (meaning.kind) {
    case 'literal':
      return jsonLiteral(meaning.value)
    case 'cut':
      return `${meaning.text}${missingText(meaning.bytes, 'byte')}`
    case 'bytes':
      return base64(meaning.bytes)
    case 'list':
    case 'set':
      return jsonItems(meaning.items, meaning.missing, depth)
    case 'map':
      return jsonMap(meaning.entries, meaning.missing, depth)
    case 'record':
      return jsonRecord(meaning.entries, meaning.missing, depth)
    case 'typed':
      return meaning.numbers.map((number) =>
        typeof number === 'bigint' ? String(number) : jsonLiteral(number),
      )
    case 'error':
      return jsonRecord(
        Object.entries(meaning.parts).filter(([key]) => key !== '$'),
        0,
        depth,
      )
    case 'date':
      return meaning.iso
    case 'undefined':
      return null
    case 'bigint':
      return meaning.text
    default:
      return wordFor(meaning)
  }
}

function jsonLiteral(value: null | boolean | number | string): unknown {
  if (typeof value !== 'number') return value
  return Number.isFinite(value) ? value + 0 : String(value)
}

function jsonItems(items: readonly Plain[], missing: number, depth: number): unknown[] {
  const list = items.map((item) => json(item, depth - 1))
  if (missing > 0) list.push(missingText(missing, 'entry'))
  return list
}

function jsonMap(entries: readonly (readonly [Plain, Plain])[], missing: number, depth: number): unknown {
  const named = entries.filter((entry): entry is readonly [string, Plain] => typeof entry[0] === 'string')
  if (named.length === entries.length) return jsonRecord(named, missing, depth)
  return jsonItems(entries, missing, depth)
}

function jsonRecord(entries: readonly (readonly [string, Plain])[], missing: number, depth: number): unknown {
  const record: Record<string, unknown> = Object.create(null)
  for (const [key, value] of entries) record[key] = json(value, depth - 1)
  if (missing > 0) record['…'] = `+${missing} ${missing === 1 ? 'entry' : 'entries'}`
  return record
}

/** `btoa` rather than `Buffer`: this runs in pages too. */
function base64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 4096)
    text += String.fromCharCode(...bytes.subarray(at, at + 4096))
  return btoa(text)
}
