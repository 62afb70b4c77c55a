import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { BLOCK_BYTES } from '../../../src/base/limits'
import { decodeEvent } from '../../../src/codec/decode'
import { EventEncoder } from '../../../src/codec/encoder'
import { Redactor } from '../../../src/event/redact'
import { fillTemplate } from '../../../src/event/template'
import { openingBytes, sealBlock, trailerBlock } from '../../../src/incident/block'
import { BLOCK_HEAD_BYTES, BlockFlag, BlockType } from '../../../src/incident/layout'
import { putRecord, recordBytes } from '../../../src/incident/records'

interface Sketch {
  readonly severity: number
  readonly facility: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

const STARTED_AT = Date.UTC(2026, 10, 21, 20, 31, 5) * 1000
const STEP_US = 250
const SYNC = new Uint8Array(16).fill(0xa5)
const PINO_LEVELS = [10, 20, 30, 40, 50, 60]
/** One event in so many is an error with a stack. */
const ERROR_EVERY = 2000

/** The same events twice: as an incident file, and, where that is wanted, as the lines that pino would have written. */
function main(directory: string, events: number, withLines: boolean): void {
  const incident = new IncidentFile(join(directory, 'dump.incident.flog'), events)
  const lines = withLines ? new Lines(join(directory, 'dump.jsonl')) : undefined
  for (let i = 0; i < events; i++) {
    const sketch = sketchOf(i)
    const error = i % ERROR_EVERY === ERROR_EVERY - 1 ? new Error('no connection within 5000 ms') : undefined
    incident.event(i, sketch, error)
    lines?.event(i, sketch, error)
  }
  const figures = { bytes: incident.close(), lineBytes: lines?.close() ?? 0 }
  process.stdout.write(`${JSON.stringify(figures)}\n`)
}

/** What a web service logs: mostly debug and info of a few facilities, with two to five short fields. */
function sketchOf(i: number): Sketch {
  const reqId = `req-${i & 1023}`
  switch (i % 8) {
    case 0:
      return sketch(9, 'http.server', 'GET {path}', { reqId, path: `/orders/${i}`, userId: i & 4095 })
    case 1:
      return sketch(5, 'db.pool', 'lease taken', { reqId, lease: i & 31, waitMs: (i % 97) / 8 })
    case 2:
      return sketch(5, 'db.query', 'select from {table}', { reqId, table: 'orders', rows: i % 50, ms: 1.25 })
    case 3:
      return sketch(1, 'cache', 'miss', { key: `order:${i}`, shard: i & 7 })
    case 4:
      return sketch(5, 'db.pool', 'lease returned', { reqId, lease: i & 31, heldMs: (i % 61) / 4 })
    case 5:
      return sketch(1, 'shop.price', 'discount applied', { orderId: i, percent: i % 30, currency: 'EUR' })
    case 6:
      return i % 80 === 6
        ? sketch(13, 'shop.stock', 'only {left} left', { left: i % 5, article: `A-${i % 700}` })
        : sketch(9, 'shop.order', 'order {orderId} accepted', { orderId: i, items: i % 9, total: 12.5 })
    default:
      return sketch(9, 'http.server', 'answered', { reqId, status: 200, ms: (i % 211) / 4, bytes: 4096 })
  }
}

function sketch(severity: number, facility: string, message: string, fields: Sketch['fields']): Sketch {
  return { severity, facility, message, fields }
}

class IncidentFile {
  readonly #file: number
  readonly #events: number
  readonly #encoder = new EventEncoder(new Redactor())
  readonly #block = new Uint8Array(BLOCK_BYTES)
  readonly #held: Uint8Array[] = []
  #payload = 0
  #written = 0
  #firstSeq = 0

  constructor(path: string, events: number) {
    this.#file = openSync(path, 'w')
    this.#events = events
  }

  event(i: number, { severity, facility, message, fields }: Sketch, error: unknown): void {
    const isTrigger = i === this.#events - 1
    const time = STARTED_AT + i * STEP_US
    const level = isTrigger || error !== undefined ? 17 : severity
    const length = this.#encoder.encode(time, level, message, facility, fields, { error })
    this.#encoder.stamp(i)
    const bytes = Uint8Array.prototype.slice.call(this.#encoder.bytes, 0, length)
    if (i === 0) this.#open(bytes)
    if (isTrigger || this.#payload + recordBytes(length) > BLOCK_BYTES - BLOCK_HEAD_BYTES - 4)
      this.#seal(i, 0)
    this.#held.push(bytes)
    this.#payload += recordBytes(length)
    if (isTrigger) this.#seal(i + 1, BlockFlag.trigger)
  }

  /** @returns bytes of the file */
  close(): number {
    const events = this.#events
    this.#write(
      trailerBlock(
        {
          closedAt: STARTED_AT + events * STEP_US,
          reason: 'time',
          events: { total: events, history: events, after: 0 },
          furtherTriggers: [],
          furtherTriggersOmitted: 0,
          lost: 0,
        },
        SYNC,
      ),
    )
    closeSync(this.#file)
    return this.#written
  }

  /** The trigger is known from the start here: the header only has to be like a real one. */
  #open(bytes: Uint8Array): void {
    const event = decodeEvent(bytes)
    const ring = { facility: '', thread: 0, capacityBytes: 2 ** 30, usedBytes: 2 ** 20, evicted: 0 }
    const rings = ['trace', 'debug', 'info', 'warn'].map((severity) => {
      return { ...ring, severity, events: this.#events / 4, oldest: STARTED_AT }
    })
    this.#write(
      openingBytes(
        {
          type: 'incident',
          format: '1.0',
          id: '00c0ffee00c0ffee-1',
          incarnation: '00c0ffee00c0ffee',
          number: 1,
          openedAt: STARTED_AT,
          trigger: { kind: 'manual', reason: 'benchmark', fingerprint: 'c0de', event },
          service: 'shop',
          version: '1.4.2',
          host: 'web-1',
          pid: 4711,
          process: { bootId: '', pidNamespace: '', pid: 4711, startTime: '' },
          versions: { node: process.versions.node },
          rings,
          suppressed: { perHour: 0, perFingerprint: 0, coolDown: 0 },
          postTrigger: { events: 0, ms: 0 },
        },
        SYNC,
      ),
    )
  }

  #seal(nextSeq: number, flags: number): void {
    if (this.#held.length === 0) return
    let at = BLOCK_HEAD_BYTES
    for (const bytes of this.#held) at = putRecord(this.#block, at, bytes)
    const meta = { type: BlockType.events, flags, length: this.#payload, events: this.#held.length }
    const end = sealBlock(this.#block, 0, { ...meta, firstSeq: this.#firstSeq, lastSeq: nextSeq - 1 }, SYNC)
    this.#write(this.#block.subarray(0, end))
    this.#held.length = 0
    this.#payload = 0
    this.#firstSeq = nextSeq
  }

  #write(bytes: Uint8Array): void {
    this.#written += writeSync(this.#file, bytes)
  }
}

class Lines {
  readonly #file: number
  #batch = ''
  #written = 0

  constructor(path: string) {
    this.#file = openSync(path, 'w')
  }

  event(i: number, { severity, facility, message, fields }: Sketch, error: Error | undefined): void {
    const level = error === undefined ? PINO_LEVELS[(severity - 1) >> 2] : 50
    const err = error && { type: error.name, message: error.message, stack: error.stack }
    const line = {
      level,
      time: (STARTED_AT + i * STEP_US) / 1000,
      pid: 4711,
      hostname: 'web-1',
      facility,
      ...fields,
      ...(err && { err }),
      msg: fillTemplate(message, fields as never),
    }
    this.#batch += `${JSON.stringify(line)}\n`
    if (this.#batch.length > 1 << 20) this.#flush()
  }

  close(): number {
    this.#flush()
    closeSync(this.#file)
    return this.#written
  }

  #flush(): void {
    this.#written += writeSync(this.#file, this.#batch)
    this.#batch = ''
  }
}

main(process.argv[2] ?? '.', Number(process.argv[3]), process.argv[4] !== 'alone')
