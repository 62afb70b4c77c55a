import { invalidOption } from '../../base/errors'
import type { PlainJson } from './database'

/** A text as the database can keep it: without NUL, and without halves of characters. */
export function storableText(text: string): string {
  return text.replaceAll('\0', '\ufffd').toWellFormed()
}

export function isStorableText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}

/**
 * JSON for the database.
 * @throws FlogError FLOG_OPTION_INVALID where it is no object, or has a text in it that the database cannot keep
 */
export function storableJson(option: string, value: PlainJson): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidOption(option, 'an object', value)
  }
  return JSON.stringify(value, (key, part: unknown) => {
    if (!isStorableText(key) || (typeof part === 'string' && !isStorableText(part))) {
      throw invalidOption(option, 'texts of whole characters, without NUL', part)
    }
    return part
  })
}
