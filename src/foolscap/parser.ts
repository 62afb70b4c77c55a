import { READ_PLAIN_BYTES } from '../base/limits'
import type { LogEvent } from '../event/event'
import type { Damage } from '../incident/damage'
import type { IncidentPart } from '../incident/parser'
import { Bunzip, type Bzip2Step, checkPlainBytes } from './bzip2'
import { type Line, Lines } from './lines'
import { isBzip2, MAGIC, MAGIC_BYTES, refusal } from './magic'
import { RecordMaker } from './records'

export interface FoolscapOptions {
  /** Default 4096 MiB, after which reading stops. */
  readonly maxPlainBytes?: number
  /** Longest line that is read; a longer one is damage. Default 16 MiB. */
  readonly maxLineBytes?: number
}

const LINE_BYTES = 16 * 1024 * 1024
/** Bytes that are taken in at once, however many are given. */
const SLICE_BYTES = 256 * 1024

/**
 * Reads a flogfile of Foolscap, format v1, plain or compressed with bzip2, that comes in pieces of any size, and gives it
 * out as the parts of an incident file. Holds a line, a block of bzip2, and a batch of events. Knows no files and no Node.
 *
 * ```
 *   push(bytes) ─▶ bzip2 ─▶ lines ─▶ records ─▶ parts
 *                 (.bz2 only)
 * ```
 * Every call gives a generator, which has to be run to its end before the next call.
 *
 * The format is that of Foolscap 0.13 to 21.7 (https://github.com/warner/foolscap): a first line, then a JSON object a line.
 */
export class FoolscapParser {
  readonly #limit: number
  readonly #lines: Lines
  readonly #records: RecordMaker
  #start = new Uint8Array(0)
  #bunzip: Bunzip | undefined
  #isTold = false
  #hasMagic = false
  #plainBytes = 0
  /** After damage the rest of a line is no line. */
  #skipsLine = false

  /** @param fingerprint of the triggering event, for the header */
  constructor(fingerprint: (event: LogEvent) => string, options: FoolscapOptions = {}) {
    this.#limit = options.maxPlainBytes ?? READ_PLAIN_BYTES
    this.#lines = new Lines(options.maxLineBytes ?? LINE_BYTES)
    this.#records = new RecordMaker(fingerprint)
  }

  /** @throws FlogError FLOG_FILE_NOT_INCIDENT, FLOG_FOOLSCAP_PICKLE, FLOG_FILE_TOO_LARGE; nothing else, whatever the bytes are */
  *push(bytes: Uint8Array): Generator<IncidentPart, void> {
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
      yield* this.#slice(bytes.subarray(at, at + SLICE_BYTES))
      yield* this.#records.flush()
    }
  }

  /** No more bytes come. The last part is the verdict. Throws like {@link push}. */
  *end(): Generator<IncidentPart, void> {
    if (!this.#isTold) yield* this.#tell()
    if (this.#bunzip !== undefined) yield* this.#unpacked(this.#bunzip.end())
    if (!this.#hasMagic) yield* this.#magic(new Uint8Array(0), true)
    for (const line of this.#lines.end()) yield* this.#line(line)
    yield* this.#records.end(this.#lines.offset, this.#bunzip !== undefined)
  }

  /** Tells by the first bytes whether there is something to unpack. */
  *#slice(bytes: Uint8Array): Generator<IncidentPart, void> {
    if (this.#isTold) yield* this.#packed(bytes)
    else {
      this.#start = joined(this.#start, bytes)
      if (this.#start.length >= MAGIC_BYTES) yield* this.#tell()
    }
  }

  *#tell(): Generator<IncidentPart, void> {
    const start = this.#start
    this.#start = new Uint8Array(0)
    this.#isTold = true
    if (isBzip2(start)) this.#bunzip = new Bunzip()
    yield* this.#packed(start)
  }

  *#packed(bytes: Uint8Array): Generator<IncidentPart, void> {
    if (this.#bunzip === undefined) yield* this.#plain(bytes)
    else yield* this.#unpacked(this.#bunzip.push(bytes))
  }

  *#unpacked(steps: Iterable<Bzip2Step>): Generator<IncidentPart, void> {
    for (const step of steps) {
      if (step.kind === 'bytes') {
        yield* this.#plain(step.bytes)
        yield* this.#records.flush()
      } else yield* this.#broken(step.damage)
    }
  }

  /** The line in hand has lost its rest. */
  *#broken(damage: Damage): Generator<IncidentPart, void> {
    if (damage.eventsLost !== 0) {
      this.#lines.drop()
      this.#skipsLine = this.#hasMagic || this.#plainBytes === 0
      this.#hasMagic = true
    }
    yield* this.#records.flush()
    yield this.#records.damage(damage)
  }

  *#plain(bytes: Uint8Array): Generator<IncidentPart, void> {
    this.#plainBytes += bytes.length
    checkPlainBytes(this.#plainBytes, this.#limit)
    if (this.#hasMagic) yield* this.#plainLines(bytes)
    else yield* this.#magic(bytes, false)
  }

  *#magic(bytes: Uint8Array, isEnd: boolean): Generator<IncidentPart, void> {
    const start = joined(this.#start, bytes)
    this.#start = start
    if (start.length < MAGIC_BYTES && !isEnd) return
    const refused = refusal(start, this.#bunzip !== undefined)
    if (refused !== undefined) throw refused
    this.#start = new Uint8Array(0)
    this.#hasMagic = true
    yield* this.#plainLines(start)
  }

  *#plainLines(bytes: Uint8Array): Generator<IncidentPart, void> {
    for (const line of this.#lines.push(bytes)) yield* this.#line(line)
  }

  *#line(line: Line): Generator<IncidentPart, void> {
    const isRest = this.#skipsLine
    this.#skipsLine = false
    // A gatherer that is started anew within a second writes its first line once more.
    if (isRest || isMagic(line)) return
    yield* this.#records.line(line)
  }
}

const MAGIC_LINE = new TextEncoder().encode(MAGIC.trimEnd())

function isMagic({ bytes, isEnded }: Line): boolean {
  if (bytes === undefined || bytes.length > MAGIC_LINE.length) return false
  const isStart = bytes.every((byte, i) => byte === MAGIC_LINE[i])
  return isStart && (isEnded ? bytes.length === MAGIC_LINE.length : false)
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(one.length + other.length)
  bytes.set(one)
  bytes.set(other, one.length)
  return bytes
}
