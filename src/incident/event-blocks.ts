import { FlogError } from '../base/errors'
import { BLOCK_BYTES, READ_BLOCK_BYTES } from '../base/limits'
import { sealBlock } from './block'
import { BLOCK_HEAD_BYTES, BlockFlag, BlockType } from './layout'
import { putRecord, recordBytes } from './records'

/** Padding that sealing a block may add. */
const SLACK_BYTES = 4

/** Puts encoded events into blocks, as many as fit; one that is marked, or too large, has a block of its own. */
export class EventBlocks {
  readonly #sync: Uint8Array
  #buffer = new Uint8Array(BLOCK_BYTES + SLACK_BYTES)
  #end = BLOCK_HEAD_BYTES
  #events = 0
  #firstSeq = Number.POSITIVE_INFINITY
  #lastSeq = Number.NEGATIVE_INFINITY

  /** @param sync the marker of the file that the blocks are for */
  constructor(sync: Uint8Array) {
    this.#sync = sync
  }

  /**
   * Takes an event.
   * @returns the blocks that are complete by it, in order; each has bytes of its own
   * @throws FlogError FLOG_WRITE_FAILED for an event that no reader would take
   */
  add(bytes: Uint8Array, seq: number, mark: 'trigger' | 'further' | undefined): readonly Uint8Array[] {
    const size = recordBytes(bytes.length)
    if (size > READ_BLOCK_BYTES) {
      const message = `event ${seq} has ${bytes.length} bytes, more than readers take in a block`
      throw new FlogError('FLOG_WRITE_FAILED', message)
    }
    const isAlone = mark !== undefined || BLOCK_HEAD_BYTES + size > BLOCK_BYTES
    const done = isAlone || this.#end + size > BLOCK_BYTES ? this.flush() : []
    if (BLOCK_HEAD_BYTES + size > this.#buffer.length - SLACK_BYTES)
      this.#buffer = new Uint8Array(BLOCK_HEAD_BYTES + size + SLACK_BYTES)
    this.#end = putRecord(this.#buffer, this.#end, bytes)
    this.#events++
    this.#firstSeq = Math.min(this.#firstSeq, seq)
    this.#lastSeq = Math.max(this.#lastSeq, seq)
    return isAlone ? [...done, ...this.flush(mark)] : done
  }

  /** The block of the events that wait; none where none do. */
  flush(mark?: 'trigger' | 'further'): readonly Uint8Array[] {
    if (this.#events === 0) return []
    const meta = {
      type: BlockType.events,
      flags: mark === undefined ? 0 : BlockFlag[mark],
      events: this.#events,
      firstSeq: this.#firstSeq,
      lastSeq: this.#lastSeq,
      length: this.#end - BLOCK_HEAD_BYTES,
    }
    const end = sealBlock(this.#buffer, 0, meta, this.#sync)
    const block = this.#buffer.slice(0, end)
    this.#end = BLOCK_HEAD_BYTES
    this.#events = 0
    this.#firstSeq = Number.POSITIVE_INFINITY
    this.#lastSeq = Number.NEGATIVE_INFINITY
    return [block]
  }
}
