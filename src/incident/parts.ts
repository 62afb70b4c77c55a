import { FlogError, messageOf } from '../base/errors'
import { decodeEvent, decodePrefix } from '../codec/decode'
import type { LogEvent, Plain } from '../event/event'
import { type Block, type BlockReader, newerFile } from './blocks'
import { type Damage, DamageLog, type Verdict } from './damage'
import { FORMAT_MAJOR, type IncidentHeader, type IncidentTrailer } from './header'
import { BLOCK_HEAD_BYTES, BlockFlag, BlockType } from './layout'
import { type FormatVersion, MAGIC_BYTES, parseVersion } from './magic'
import type { IncidentPart } from './parser'
import { firstRecord, recordAfter } from './records'
import { asHeader, asTrailer } from './shape'

/** An event of a file. `trigger`: it began the incident; `further`: it would have, had there not been one. */
export interface RecordedEvent {
  readonly event: LogEvent
  readonly mark?: 'trigger' | 'further'
  /** As it stands in the file; a view that lasts until the next part. Only with the parser's option `raw`. */
  readonly bytes?: Uint8Array
}

/** How blocks become parts. */
export interface PartOptions {
  readonly mode: 'decode' | 'count'
  readonly raw: boolean
}

type DamagePart = IncidentPart & { readonly kind: 'damage' }

/** Makes parts of blocks, and keeps the account that ends in a verdict. */
export class PartMaker {
  readonly #blocks: BlockReader
  readonly #options: PartOptions
  readonly #log = new DamageLog()
  #header: IncidentHeader | undefined
  #trailer: IncidentTrailer | undefined
  #events = 0

  constructor(blocks: BlockReader, options: PartOptions) {
    this.#blocks = blocks
    this.#options = options
  }

  damage(damage: Damage): IncidentPart {
    this.#log.add(damage)
    return { kind: 'damage', damage }
  }

  /** @throws FlogError FLOG_FILE_NEWER for a block that must be understood, and is not */
  *block(block: Block): Generator<IncidentPart, void> {
    switch (block.head.type) {
      case BlockType.header:
        yield* this.#headerBlock(block)
        return
      case BlockType.events:
        yield* this.#eventsBlock(block)
        return
      case BlockType.trailer:
        yield* this.#trailerBlock(block)
        return
      default:
        if ((block.head.flags & BlockFlag.ignorable) === 0) throw this.#unknownBlock(block)
        if (this.#options.raw) yield { kind: 'unknown', head: block.head, payload: block.payload }
    }
  }

  /**
   * Nothing comes any more.
   * @param plainBytes length of the plain file
   */
  *end(plainBytes: number): Generator<IncidentPart, void> {
    if (this.#header === undefined && this.#log.isEmpty) {
      const message = 'the file ends before its header'
      yield this.damage({ what: 'truncated', layer: 'plain', offset: plainBytes, bytes: 0, message })
    }
    yield { kind: 'verdict', verdict: this.#verdict(plainBytes) }
  }

  #verdict(plainBytes: number): Verdict {
    const { sync, wholeBytes } = this.#blocks
    const seen = {
      events: this.#events,
      plainBytes,
      wholeBytes,
      ...(sync !== undefined && { sync }),
      hasHeader: this.#header !== undefined,
      hasTrailer: this.#trailer !== undefined,
    }
    return this.#log.verdict(seen, this.#trailer?.events.total)
  }

  *#headerBlock(block: Block): Generator<IncidentPart, void> {
    const header = this.#value(block, asHeader)
    if (!('value' in header)) yield header
    else if (this.#header !== undefined) yield this.#blockDamage(block, 'a second header', 0)
    else {
      const version = parseVersion(header.value.format)
      if (version !== undefined && version.major > FORMAT_MAJOR) throw newerFile(header.value.format)
      this.#header = header.value
      if (!this.#isOfMagicLine(version)) yield this.#wrongVersion(header.value.format)
      yield { kind: 'header', header: header.value }
    }
  }

  *#trailerBlock(block: Block): Generator<IncidentPart, void> {
    const trailer = this.#value(block, asTrailer)
    if (!('value' in trailer)) yield trailer
    else if (this.#trailer !== undefined) yield this.#blockDamage(block, 'a second trailer', 0)
    else {
      this.#trailer = trailer.value
      yield { kind: 'trailer', trailer: trailer.value }
    }
  }

  *#eventsBlock(block: Block): Generator<IncidentPart, void> {
    if (this.#options.mode === 'count') {
      this.#events += block.head.events
      return
    }
    const { events, lost } = decodeAll(block, this.#options.raw)
    this.#events += events.length
    if (events.length > 0) yield { kind: 'events', events }
    if (lost > 0)
      yield this.#blockDamage(block, 'a block holds something else than the events it should', lost)
  }

  #value<T>(block: Block, shape: (value: Plain) => T): { readonly value: T } | DamagePart {
    try {
      return { value: shape(decodePrefix(block.payload).value) }
    } catch (error) {
      const what = block.head.type === BlockType.header ? 'header' : 'trailer'
      return this.#blockDamage(block, `the ${what} cannot be understood: ${messageOf(error)}`, 0)
    }
  }

  #blockDamage(block: Block, message: string, eventsLost: number): DamagePart {
    const bytes = BLOCK_HEAD_BYTES + block.payload.length
    const damage: Damage = {
      what: 'corrupt',
      layer: 'plain',
      offset: block.offset,
      bytes,
      message,
      eventsLost,
    }
    this.#log.add(damage)
    return { kind: 'damage', damage }
  }

  #isOfMagicLine(version: FormatVersion | undefined): boolean {
    const magic = this.#blocks.magic
    if (magic === undefined) return true
    return version?.major === magic.version.major && version.minor === magic.version.minor
  }

  #wrongVersion(format: string): IncidentPart {
    const message = `the magic line names another version than the header, which says ${format}`
    return this.damage({
      what: 'corrupt',
      layer: 'plain',
      offset: 0,
      bytes: MAGIC_BYTES,
      message,
      eventsLost: 0,
    })
  }

  #unknownBlock(block: Block): FlogError {
    const magic = this.#blocks.magic?.version
    const format = this.#header?.format ?? (magic === undefined ? 'unknown' : `${magic.major}.${magic.minor}`)
    return newerFile(format, ` and a block of type ${block.head.type}, without which it cannot be understood`)
  }
}

function decodeAll(
  block: Block,
  raw: boolean,
): { readonly events: readonly RecordedEvent[]; readonly lost: number } {
  const mark = markOf(block.head.flags)
  const events: RecordedEvent[] = []
  let malformed = 0
  const { payload } = block
  for (let at = firstRecord(payload); at !== undefined; at = recordAfter(payload, at)) {
    try {
      const event = decodeEvent(payload, at.start, at.end)
      if (raw) {
        const bytes = payload.subarray(at.start, at.end)
        events.push(mark === undefined ? { event, bytes } : { event, mark, bytes })
      } else events.push(mark === undefined ? { event } : { event, mark })
    } catch (error) {
      if (!FlogError.is(error)) throw error
      malformed++
    }
  }
  return { events, lost: Math.max(malformed, block.head.events - events.length) }
}

function markOf(flags: number): 'trigger' | 'further' | undefined {
  if ((flags & BlockFlag.trigger) !== 0) return 'trigger'
  return (flags & BlockFlag.further) === 0 ? undefined : 'further'
}
