import { REDACTED } from '../base/secret-names'
import { decodePrefix, decodeValue } from '../codec/decode'
import { encodeEventParts, encodePlain } from '../codec/plain'
import type { Plain, PlainObject } from '../event/event'
import type { IncidentHeader, IncidentTrailer } from '../incident/header'
import { Literals } from './scrub/literals'
import { type Scrubbing, ValueScrubber } from './scrub/values'

export type { Scrubbing } from './scrub/values'

/** What was taken out, by where it was. */
export interface ScrubCounts {
  readonly values: number
  /** Events that something was taken out of. */
  readonly events: number
  readonly isHeaderChanged: boolean
  readonly isTrailerChanged: boolean
  /** Blocks of unknown types that are no MessagePack, and could not be searched. */
  readonly unsearchedBlocks: number
  /** Values too many to be remembered: they are taken out of their fields, and not looked for elsewhere. */
  readonly forgotten: number
}

/**
 * Takes fields and matches of patterns out of the parts of an incident: what they held becomes `[redacted]`. What an incident is
 * found and compared by (ids, times, numbers, kinds, its fingerprint) stays.
 *
 * A value is often in more than one place: in its field, and in the text of an error. So all parts are shown to one scrubber
 * first, and a second one that {@link again} makes takes out what the first one saw wherever it is.
 */
export class Scrubber {
  readonly #scrubbing: Scrubbing
  readonly #values: ValueScrubber
  readonly #known: Literals
  readonly #taken = new Literals()
  #events = 0
  #isHeaderChanged = false
  #isTrailerChanged = false
  #unsearchedBlocks = 0

  /** @throws FlogError FLOG_OPTION_INVALID */
  constructor(scrubbing: Scrubbing, known = new Literals()) {
    this.#scrubbing = scrubbing
    this.#known = known
    this.#values = new ValueScrubber(scrubbing, known, this.#taken)
  }

  /** A scrubber that also knows the values that this one took out. */
  again(): Scrubber {
    return new Scrubber(this.#scrubbing, this.#taken)
  }

  get counts(): ScrubCounts {
    return {
      values: this.#values.removed,
      events: this.#events,
      isHeaderChanged: this.#isHeaderChanged,
      isTrailerChanged: this.#isTrailerChanged,
      unsearchedBlocks: this.#unsearchedBlocks,
      forgotten: this.#known.forgotten,
    }
  }

  header(header: IncidentHeader): IncidentHeader {
    const before = this.#values.removed
    const kept = this.#structure(header as unknown as PlainObject, HEADER)
    this.#isHeaderChanged ||= this.#values.removed > before
    return kept as unknown as IncidentHeader
  }

  trailer(trailer: IncidentTrailer): IncidentTrailer {
    const before = this.#values.removed
    const kept = this.#structure(trailer as unknown as PlainObject, TRAILER)
    this.#isTrailerChanged ||= this.#values.removed > before
    return kept as unknown as IncidentTrailer
  }

  /** @param bytes an encoded event @throws FlogError FLOG_VALUE_MALFORMED for what is none */
  event(bytes: Uint8Array): Uint8Array {
    const before = this.#values.removed
    const parts = decodeValue(bytes)
    if (!Array.isArray(parts)) return bytes
    const kept = (parts as readonly Plain[]).map((part, index) => this.#eventPart(part, index))
    if (this.#values.removed === before) return bytes
    this.#events++
    return encodeEventParts(kept)
  }

  /** @param payload of a block of an unknown type */
  unknown(payload: Uint8Array): Uint8Array {
    const before = this.#values.removed
    try {
      const { value, length } = decodePrefix(payload)
      if (payload.subarray(length).some((byte) => byte !== 0)) throw new RangeError('more than one value')
      const kept = this.#values.value(value, '')
      return this.#values.removed === before ? payload : encodePlain(kept)
    } catch {
      this.#unsearchedBlocks++
      return payload
    }
  }

  #eventPart(part: Plain, index: number): Plain {
    if (index < 3) return part
    if (typeof part === 'string') return this.#values.text(part)
    if (!isMap(part)) return this.#values.value(part, '')
    return index === 6 ? this.#structure(part, MORE) : this.#values.entries(part, '')
  }

  #structure(map: PlainObject, shape: Shape): PlainObject {
    const kept: Record<string, Plain> = {}
    for (const key of Object.keys(map)) {
      const value = map[key] ?? null
      Object.defineProperty(kept, key, {
        value: this.#part(key, value, shape[key]),
        enumerable: true,
        configurable: true,
        writable: true,
      })
    }
    return kept
  }

  #part(key: string, value: Plain, shape: Shape[string] | undefined): Plain {
    switch (shape) {
      case 'keep':
        return value
      case 'text':
        return typeof value === 'string' ? this.#values.text(value) : value
      case 'fields':
        return isMap(value) ? this.#values.entries(value, '') : value
      case 'error':
        return isMap(value) ? this.#values.entries(value, 'error') : value
      case 'arguments':
        return Array.isArray(value) ? this.#arguments(value as readonly Plain[]) : value
      case undefined:
        return this.#values.entry(key, value)
      default:
        if (Array.isArray(value)) {
          return (value as readonly Plain[]).map((item) =>
            isMap(item) ? this.#structure(item, shape) : item,
          )
        }
        return isMap(value) ? this.#structure(value, shape) : value
    }
  }

  /** `--token=…`, and `--token …`. */
  #arguments(words: readonly Plain[]): Plain {
    return words.map((word, index) => {
      if (typeof word !== 'string') return word
      const given = /^(--?([\w.-]+)=)(.+)$/s.exec(word)
      if (given !== null) {
        const [, option = '', name = '', text = ''] = given
        return `${option}${textOr(this.#values.entry(name, text))}`
      }
      const before = words[index - 1]
      const name = typeof before === 'string' ? /^--?([\w.-]+)$/.exec(before)?.[1] : undefined
      return name === undefined ? this.#values.text(word) : textOr(this.#values.entry(name, word))
    })
  }
}

/** What is done to the parts of a map; to those that it does not name, what is done to a field. */
interface Shape {
  readonly [key: string]: 'keep' | 'text' | 'fields' | 'error' | 'arguments' | Shape | undefined
}

const MORE: Shape = {
  error: 'error',
  traceId: 'text',
  spanId: 'text',
  parent: 'keep',
  thread: 'keep',
  cut: 'keep',
}
const EVENT: Shape = {
  ...MORE,
  seq: 'keep',
  time: 'keep',
  severity: 'keep',
  message: 'text',
  facility: 'text',
  fields: 'fields',
}
const REASON: Shape = { seq: 'keep', time: 'keep', kind: 'keep', reason: 'text', fingerprint: 'keep' }
const RING: Shape = {
  severity: 'keep',
  facility: 'text',
  thread: 'keep',
  capacityBytes: 'keep',
  usedBytes: 'keep',
  events: 'keep',
  evicted: 'keep',
  oldest: 'keep',
}
const HEADER: Shape = {
  type: 'keep',
  format: 'keep',
  id: 'keep',
  incarnation: 'keep',
  number: 'keep',
  openedAt: 'keep',
  trigger: { ...REASON, event: EVENT },
  pid: 'keep',
  process: 'keep',
  argv: 'arguments',
  rings: RING,
  suppressed: 'keep',
  postTrigger: 'keep',
  relatedTo: 'keep',
  extra: 'fields',
  rewritten: { by: 'keep', at: 'keep', flog: 'keep', filter: 'text', fields: 'keep', patterns: 'keep' },
}
const TRAILER: Shape = {
  closedAt: 'keep',
  reason: 'keep',
  events: 'keep',
  furtherTriggers: REASON,
  furtherTriggersOmitted: 'keep',
  lost: 'keep',
  extra: 'fields',
  source: 'keep',
}

function textOr(value: Plain): string {
  return typeof value === 'string' ? value : REDACTED
}

function isMap(value: Plain): value is PlainObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  )
}
