import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { currentIdentity } from '../../src/base/identity'
import type { ProcessIdentity } from '../../src/base/process-identity'
import { encodeValue } from '../../src/codec/value'
import type { LogEvent } from '../../src/event/event'
import { openingBytes, sealBlock, trailerBlock } from '../../src/incident/block'
import type { IncidentHeader, IncidentTrailer } from '../../src/incident/header'
import { BLOCK_HEAD_BYTES, BlockFlag, BlockType } from '../../src/incident/layout'
import { parseIncidentId, plainFileName } from '../../src/incident/name'
import { putRecord, recordBytes } from '../../src/incident/records'

export const SYNC = Uint8Array.from({ length: 16 }, (_, i) => 0xa0 + i)
export const INCARNATION = '0123456789abcdef'
export const OPENED_AT = Date.UTC(2026, 10, 21, 20, 31, 5, 123) * 1000

/** A process that was, on this machine and in this namespace, and is no more. */
export function deadProcess(): ProcessIdentity {
  return { ...currentIdentity(), startTime: '1' }
}

export interface SampleOptions {
  readonly id?: string
  readonly openedAt?: number
  readonly process?: ProcessIdentity
  /** Events before the trigger, and after it, one block each. */
  readonly history?: number
  readonly after?: number
  /** Bytes of text in each event. */
  readonly eventBytes?: number
  /** Seqs after the trigger that are marked as further triggers. */
  readonly further?: readonly number[]
  readonly trailer?: boolean
}

export function sampleEvent(seq: number, eventBytes = 10): LogEvent {
  const fields = { n: seq, text: `${seq}:`.padEnd(eventBytes, String(Math.sin(seq))) }
  return { seq, time: OPENED_AT + seq, severity: 9, message: `event ${seq}`, facility: 'sample', fields }
}

export function sampleHeader(options: SampleOptions = {}): IncidentHeader {
  const { id = `${INCARNATION}-1`, openedAt = OPENED_AT, history = 20 } = options
  const { incarnation, number } = parseIncidentId(id) ?? { incarnation: '', number: 0 }
  return {
    type: 'incident',
    format: '1.0',
    id,
    incarnation,
    number,
    openedAt,
    trigger: { kind: 'event', reason: 'sample', fingerprint: 'f', event: sampleEvent(history) },
    service: 'samples',
    version: '1.0.0',
    host: 'somewhere',
    pid: (options.process ?? currentIdentity()).pid,
    process: options.process ?? currentIdentity(),
    versions: { node: process.version },
    rings: [],
    suppressed: { perHour: 0, perFingerprint: 0, coolDown: 0 },
    postTrigger: { events: 100, ms: 5000 },
  }
}

/** Bytes of a plain incident file: history in blocks of at most 128 KiB, trigger, events after it, trailer. */
export function samplePlain(options: SampleOptions = {}): Buffer {
  const { history = 20, after = 5, further = [], eventBytes } = options
  const blocks: Uint8Array[] = [openingBytes(sampleHeader(options), SYNC)]
  blocks.push(...historyBlocks(history, eventBytes))
  blocks.push(eventsBlock([encodedEvent(sampleEvent(history, eventBytes))], history, BlockFlag.trigger))
  for (let seq = history + 1; seq <= history + after; seq++) {
    const flags = further.includes(seq) ? BlockFlag.further : 0
    blocks.push(eventsBlock([encodedEvent(sampleEvent(seq, eventBytes))], seq, flags))
  }
  if (options.trailer !== false) blocks.push(trailerBlock(sampleTrailer(options), SYNC))
  return Buffer.concat(blocks)
}

function* historyBlocks(events: number, eventBytes: number | undefined): Generator<Uint8Array> {
  let batch: Uint8Array[] = []
  let bytes = 0
  let first = 0
  for (let seq = 0; seq < events; seq++) {
    const event = encodedEvent(sampleEvent(seq, eventBytes))
    batch.push(event)
    bytes += recordBytes(event.length)
    if (bytes < 120_000 && seq < events - 1) continue
    yield eventsBlock(batch, first, 0)
    batch = []
    bytes = 0
    first = seq + 1
  }
}

export function sampleTrailer(options: SampleOptions = {}): IncidentTrailer {
  const { history = 20, after = 5 } = options
  return {
    closedAt: OPENED_AT + 5_000_000,
    reason: 'events',
    events: { total: history + 1 + after, history: history + 1, after },
    furtherTriggers: [],
    furtherTriggersOmitted: 0,
    lost: 0,
  }
}

/** Writes a sample into a directory, under the name that it should have. */
export function writeSample(directory: string, options: SampleOptions = {}): string {
  const { id, openedAt } = sampleHeader(options)
  const path = join(directory, plainFileName(openedAt, id))
  writeFileSync(path, samplePlain(options), { mode: 0o600 })
  return path
}

/** A new directory for each test, removed after it. */
export function temporaryDirectory(): { readonly path: string } {
  const directory = { path: '' }
  beforeEach(() => {
    directory.path = mkdtempSync(join(tmpdir(), 'flog-incidents-'))
  })
  afterEach(() => rmSync(directory.path, { recursive: true, force: true }))
  return directory
}

export function incident(number: number, incarnation = INCARNATION): string {
  return `${incarnation}-${number}`
}

function eventsBlock(events: readonly Uint8Array[], firstSeq: number, flags: number): Uint8Array {
  const length = events.reduce((sum, event) => sum + recordBytes(event.length), 0)
  const block = new Uint8Array(BLOCK_HEAD_BYTES + length + 3)
  let at = BLOCK_HEAD_BYTES
  for (const event of events) at = putRecord(block, at, event)
  const lastSeq = firstSeq + events.length - 1
  const meta = { type: BlockType.events, flags, events: events.length, firstSeq, lastSeq, length }
  return block.subarray(0, sealBlock(block, 0, meta, SYNC))
}

function encodedEvent(event: LogEvent): Uint8Array {
  const { seq, time, severity, message, facility, fields } = event
  const head = Buffer.alloc(20, 0xcb)
  head[0] = 0x96
  head.writeDoubleBE(seq, 2)
  head.writeDoubleBE(time, 11)
  head[19] = severity
  return Buffer.concat([head, ...[message, facility, fields].map((part) => encodeValue(part))])
}
