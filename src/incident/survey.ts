import { FlogError } from '../base/errors'
import { READ_BLOCK_BYTES, READ_MEMBER_BYTES, READ_PLAIN_BYTES, SALVAGE_BYTES } from '../base/limits'
import { decodeEvent } from '../codec/decode'
import type { LogEvent } from '../event/event'
import { type Block, type BlockPart, BlockReader, newerFile } from './blocks'
import { SalvageBudget } from './engine'
import { piecesOf } from './files'
import { FORMAT_MAJOR, FORMAT_MINOR, type FurtherTrigger } from './header'
import { Input, MORE } from './input'
import { BlockFlag, BlockType } from './layout'
import { nodeEngine } from './node-engine'
import { openIncidentFile } from './reader'
import { recordsOf } from './records'

/** What a trailer has to say about a plain file, and where to put it. */
export interface Survey {
  /** Events in whole blocks. */
  readonly total: number
  /** Events up to and including the trigger; absent where the file ends before it. */
  readonly history?: number
  readonly furtherTriggers: readonly FurtherTrigger[]
  readonly furtherTriggersOmitted: number
  readonly sync?: Uint8Array
  readonly hasHeader: boolean
  readonly hasTrailer: boolean
  /** Where the file stops making sense because it was cut, or its end. */
  readonly end: number
  readonly size: number
}

const LIMITS = {
  maxBlockBytes: READ_BLOCK_BYTES,
  maxMemberBytes: READ_MEMBER_BYTES,
  maxPlainBytes: READ_PLAIN_BYTES,
  salvageBytes: SALVAGE_BYTES,
}
const LISTED_TRIGGERS = 512
const READ_BYTES = 64 * 1024

/**
 * Looks through the blocks of a plain file. Only the triggers among its events are decoded, so it takes a tenth of the
 * time that reading them all does.
 * @throws FlogError FLOG_FILE_NOT_INCIDENT, FLOG_FILE_NEWER, FLOG_FILE_MISSING, FLOG_ABORTED; the system's errors
 */
export async function surveyPlainFile(path: string, signal?: AbortSignal): Promise<Survey> {
  const input = new Input()
  const blocks = new BlockReader(input, nodeEngine, LIMITS, new SalvageBudget(SALVAGE_BYTES))
  const run = blocks.run()
  const surveyor = new Surveyor()
  const file = await openIncidentFile(path)
  try {
    for await (const bytes of piecesOf(file, READ_BYTES)) {
      if (signal?.aborted === true)
        throw new FlogError('FLOG_ABORTED', 'reading the incident file was cancelled')
      input.append(bytes)
      surveyor.takeAll(run)
    }
  } finally {
    await file.close()
  }
  input.end()
  surveyor.takeAll(run)
  return surveyor.survey(input.offset, blocks.sync)
}

class Surveyor {
  #total = 0
  #history: number | undefined
  #omitted = 0
  #hasHeader = false
  #hasTrailer = false
  #cutAt: number | undefined
  readonly #further: FurtherTrigger[] = []

  takeAll(run: ReturnType<BlockReader['run']>): void {
    for (let step = run.next(); step.done !== true && step.value !== MORE; step = run.next())
      this.#take(step.value)
  }

  survey(size: number, sync: Uint8Array | undefined): Survey {
    return {
      total: this.#total,
      ...(this.#history !== undefined && { history: this.#history }),
      furtherTriggers: this.#further,
      furtherTriggersOmitted: this.#omitted,
      ...(sync !== undefined && { sync }),
      hasHeader: this.#hasHeader,
      hasTrailer: this.#hasTrailer,
      end: this.#cutAt ?? size,
      size,
    }
  }

  #take(part: BlockPart): void {
    if (part.kind === 'block') this.#takeBlock(part)
    else if (part.damage.what === 'truncated') this.#cutAt = part.damage.offset
  }

  #takeBlock(block: Block): void {
    const { type, flags } = block.head
    if (type === BlockType.header) this.#hasHeader = true
    else if (type === BlockType.trailer) this.#hasTrailer = true
    else if (type === BlockType.events) this.#takeEvents(block)
    else if ((flags & BlockFlag.ignorable) === 0) {
      throw newerFile(`${FORMAT_MAJOR}.${FORMAT_MINOR} or later`, ` and a block of type ${type}`)
    }
  }

  #takeEvents({ head, payload }: Block): void {
    this.#total += head.events
    if ((head.flags & BlockFlag.trigger) !== 0) this.#history = this.#total
    if ((head.flags & BlockFlag.further) === 0) return
    const [record] = recordsOf(payload)
    const event = record && decoded(record)
    if (event !== undefined && this.#further.length < LISTED_TRIGGERS)
      this.#further.push(furtherTrigger(event))
    else this.#omitted++
  }
}

/** What the file tells of a further trigger. Why it qualified is not in it; its message has to do. */
export function furtherTrigger({ seq, time, message }: LogEvent): FurtherTrigger {
  return { seq, time, kind: 'event', reason: message, fingerprint: '' }
}

/** Undefined where the bytes are no event. */
export function decoded(record: Uint8Array): LogEvent | undefined {
  try {
    return decodeEvent(record)
  } catch {
    return undefined
  }
}
