import { FlogError } from '../base/errors'
import { READ_BLOCK_BYTES, TRAILER_BYTES } from '../base/limits'
import { systemRandom } from '../base/random'
import { encodePlain, encodePlainEvent } from '../codec/plain'
import type { Plain } from '../event/event'
import { sealBlock } from './block'
import type { Verdict } from './damage'
import { EventBlocks } from './event-blocks'
import type { IncidentHeader, IncidentTrailer, RewriteMark } from './header'
import { BLOCK_HEAD_BYTES, type BlockMeta, BlockType, padded, SYNC_BYTES } from './layout'
import { magicLine, parseVersion } from './magic'
import { NewFile, type NewFileOptions } from './new-file'
import type { IncidentPart } from './parser'
import type { RecordedEvent } from './parts'
import { headerMissing } from './reader'
import { verifyIncidentFile } from './verify'

/** What happens to what is copied. What is not given stays as it is. */
export interface ContentChange {
  header(header: IncidentHeader): IncidentHeader
  /** @param bytes an encoded event */
  event(bytes: Uint8Array): Uint8Array
  trailer(trailer: IncidentTrailer): IncidentTrailer
  /** @param payload of a block of a type that this version does not know */
  unknown(payload: Uint8Array): Uint8Array
}

export interface RewriteOptions extends NewFileOptions {
  /** Joins what the header says already of what was done to the file. */
  readonly mark: RewriteMark
  /** Which events are copied; default all. */
  readonly keeps?: (event: RecordedEvent, header: IncidentHeader) => boolean
  readonly change?: ContentChange
  /** Asked when all is written and nothing has its name yet; where it says false, or throws, nothing comes of it. */
  readonly approve?: (outcome: RewriteOutcome) => boolean
}

export interface RewriteOutcome {
  /** Events that were copied, and that were read. */
  readonly copied: number
  readonly read: number
  /** Blocks of unknown types, which were copied. */
  readonly unknownBlocks: number
  /** What the file was worth that was read. */
  readonly source: Verdict
  /** False where `approve` said no. */
  readonly isWritten: boolean
}

/**
 * Makes an incident file of the parts of another one: its header, marked, with whatever keys it has; those of its events that
 * are kept; blocks of unknown types; its trailer, with the new counts. A trailer that is missing stays missing. The file is
 * plain, or compressed as a finished one is where its name ends in `.gz`. It has its name only when it is complete, on the disk
 * and read once more. Memory stays bounded.
 * @param parts as the parser gives them with the option `raw`: then all is kept that this version does not know. Parts without
 *   bytes, such as those of foreign files, are encoded
 * @throws FlogError FLOG_WRITE_FAILED; FLOG_FILE_CORRUPT or FLOG_FILE_TRUNCATED where there is no header; whatever `parts` throws
 */
export async function rewriteIncident(
  parts: AsyncIterable<IncidentPart>,
  path: string,
  options: RewriteOptions,
): Promise<RewriteOutcome> {
  const file = await NewFile.create(path, options)
  try {
    const copy = new Copy(file, options)
    for await (const part of parts) await copy.take(part)
    await file.end()
    const outcome = copy.outcome()
    if (!(options.approve?.(outcome) ?? true)) return { ...outcome, isWritten: false }
    await check(file, outcome)
    await file.commit()
    return outcome
  } finally {
    await file.discard()
  }
}

class Copy {
  readonly #file: NewFile
  readonly #options: RewriteOptions
  readonly #sync: Uint8Array
  readonly #blocks: EventBlocks
  #header: IncidentHeader | undefined
  #trailer: IncidentTrailer | undefined
  #verdict: Verdict | undefined
  #read = 0
  #history = 0
  #after = 0
  #isAfterTrigger = false
  #unknownBlocks = 0

  constructor(file: NewFile, options: RewriteOptions) {
    this.#file = file
    this.#options = options
    this.#sync = (options.random ?? systemRandom).bytes(SYNC_BYTES)
    this.#blocks = new EventBlocks(this.#sync)
  }

  async take(part: IncidentPart): Promise<void> {
    switch (part.kind) {
      case 'header':
        this.#header = part.header
        await this.#writeOpening(part.header)
        return
      case 'events':
        if (this.#header === undefined) throw headerMissing(part)
        await this.#copyEvents(part.events, this.#header)
        return
      case 'unknown':
        await this.#copyUnknown(part.head, part.payload)
        return
      case 'trailer':
        // What it says of the file that is read is known at its end only.
        this.#trailer = part.trailer
        return
      case 'damage':
        return
      case 'verdict':
        if (this.#header === undefined) throw headerMissing(part)
        await this.#finish(part.verdict)
    }
  }

  outcome(): RewriteOutcome {
    if (this.#verdict === undefined)
      throw new FlogError('FLOG_FILE_CORRUPT', 'reading the file ended without a verdict')
    const copied = this.#history + this.#after
    return {
      copied,
      read: this.#read,
      unknownBlocks: this.#unknownBlocks,
      source: this.#verdict,
      isWritten: true,
    }
  }

  async #writeOpening(original: IncidentHeader): Promise<void> {
    const { mark, change } = this.#options
    const header = change?.header(original) ?? original
    const marked: IncidentHeader = { ...header, rewritten: [...(header.rewritten ?? []), mark] }
    await this.#file.write(magicLine(this.#sync, parseVersion(marked.format)))
    const meta = { type: BlockType.header, flags: 0, events: 0, firstSeq: 0, lastSeq: 0 }
    await this.#file.write(this.#sealed(meta, encodePlain(marked as unknown as Plain)))
  }

  async #copyEvents(events: readonly RecordedEvent[], header: IncidentHeader): Promise<void> {
    const { keeps, change } = this.#options
    for (const recorded of events) {
      const { event, mark } = recorded
      this.#read++
      const isAfter = this.#isAfterTrigger
      this.#isAfterTrigger ||= mark === 'trigger'
      if (keeps !== undefined && !keeps(recorded, header)) continue
      if (isAfter) this.#after++
      else this.#history++
      const original = recorded.bytes ?? encodePlainEvent(event)
      const bytes = change?.event(original) ?? original
      for (const block of this.#blocks.add(bytes, event.seq, mark)) await this.#file.write(block)
    }
  }

  async #copyUnknown(head: BlockMeta, payload: Uint8Array): Promise<void> {
    this.#unknownBlocks++
    await this.#flush()
    await this.#file.write(this.#sealed(head, this.#options.change?.unknown(payload) ?? payload))
  }

  async #finish(verdict: Verdict): Promise<void> {
    this.#verdict = verdict
    await this.#flush()
    if (this.#trailer !== undefined) await this.#file.write(this.#trailerBlock(this.#trailer, verdict))
  }

  async #flush(): Promise<void> {
    for (const block of this.#blocks.flush()) await this.#file.write(block)
  }

  /** Readers look for it in the last 64 KiB: where it became longer, it lists fewer further triggers. */
  #trailerBlock(original: IncidentTrailer, { state, eventsLost }: Verdict): Uint8Array {
    const changed = this.#options.change?.trailer(original) ?? original
    const meta = { type: BlockType.trailer, flags: 0, events: 0, firstSeq: 0, lastSeq: 0 }
    let trailer: IncidentTrailer = {
      ...changed,
      events: { total: this.#history + this.#after, history: this.#history, after: this.#after },
      source: {
        events: this.#read,
        state,
        ...(eventsLost !== undefined && eventsLost > 0 && { lost: eventsLost }),
      },
    }
    for (;;) {
      const block = this.#sealed(meta, encodePlain(trailer as unknown as Plain))
      const listed = trailer.furtherTriggers.length
      if (block.length <= TRAILER_BYTES || listed === 0) return block
      const kept = trailer.furtherTriggers.slice(0, listed >> 1)
      const omitted = trailer.furtherTriggersOmitted + listed - kept.length
      trailer = { ...trailer, furtherTriggers: kept, furtherTriggersOmitted: omitted }
    }
  }

  #sealed(meta: BlockMeta, payload: Uint8Array): Uint8Array {
    if (payload.length > READ_BLOCK_BYTES) {
      const message = `a block of ${payload.length} bytes is larger than the ${READ_BLOCK_BYTES} that readers take`
      throw new FlogError('FLOG_WRITE_FAILED', message)
    }
    const block = new Uint8Array(BLOCK_HEAD_BYTES + padded(payload.length))
    block.set(payload, BLOCK_HEAD_BYTES)
    sealBlock(block, 0, { ...meta, length: payload.length }, this.#sync)
    return block
  }
}

/** The original may be gone after this: what was written is read, under its temporary name, before it takes its place. */
async function check(file: NewFile, { copied }: RewriteOutcome): Promise<void> {
  const { verdict } = await verifyIncidentFile(file.temporary, { events: 'count' })
  if ((verdict.state === 'whole' || verdict.state === 'open') && verdict.events === copied) return
  throw new FlogError(
    'FLOG_WRITE_FAILED',
    `${file.path} cannot be written: what was written does not read as it should`,
  )
}
