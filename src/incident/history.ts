import { BLOCK_BYTES, STAGING_BYTES } from '../base/limits'
import { CONTROL_WORDS } from '../ring/layout'
import type { MergeTarget } from '../ring/merge'
import { sealBlock } from './block'
import { BLOCK_HEAD_BYTES, BlockFlag, BlockType } from './layout'

const HEAD_WORDS = BLOCK_HEAD_BYTES / 4

/** Memory in which blocks are put together. */
export interface Staging {
  readonly bytes: Uint8Array
  readonly words: Int32Array
  /** Largest block; the memory holds at least one. */
  readonly blockBytes: number
}

/** One memory for all incidents: making a fresh one at the trigger would cost more than filling it. */
let shared: Staging | undefined

export interface MarkedEvent {
  readonly seq: number
  /** The event whole, where the copy in the ring had to be cut. */
  readonly payload: Uint8Array
}

/**
 * Puts merged events into blocks, in a staging memory that is written whenever it is full. The trigger gets a
 * block of its own, with its flag.
 */
export class HistoryWriter implements MergeTarget {
  readonly #bytes: Uint8Array
  readonly #words: Int32Array
  readonly #blockWords: number
  readonly #sync: Uint8Array
  readonly #write: (bytes: Uint8Array) => void
  readonly #trigger: MarkedEvent
  readonly #triggerSeq: number
  /** In words: where the block in hand starts, where its next record goes, and where it must end. */
  #block = 0
  #at = HEAD_WORDS
  #end: number
  #events = 0
  #firstSeq = 0
  #lastSeq = 0
  #sawTrigger = false

  /** @param write called with memory that is used again afterwards */
  constructor(
    sync: Uint8Array,
    trigger: MarkedEvent,
    write: (bytes: Uint8Array) => void,
    staging = sharedStaging(),
  ) {
    this.#bytes = staging.bytes
    this.#words = staging.words
    this.#blockWords = staging.blockBytes / 4
    this.#end = this.#blockWords
    this.#sync = sync
    this.#trigger = trigger
    this.#triggerSeq = trigger.seq
    this.#write = write
  }

  event(seq: number, bytes: number, words: Int32Array, position: number, mask: number): void {
    // Where a trigger was stamped before it was encoded, events after it are in the rings already.
    if (seq >= this.#triggerSeq && !this.#sawTrigger) {
      this.#putTrigger()
      if (seq === this.#triggerSeq) return
    }
    const length = (bytes + 3) >> 2
    if (this.#at + length + 1 > this.#end) this.#nextBlock()
    const target = this.#words
    const at = this.#at
    target[at] = bytes
    copyWords(words, position & mask, mask, length, target, at + 1)
    // What stands behind the event in its last word is left over from older ones.
    const odd = bytes & 3
    if (odd !== 0) target[at + length] = (target[at + length] as number) & ((1 << (odd * 8)) - 1)
    this.#at = at + 1 + length
    if (this.#events++ === 0) this.#firstSeq = seq
    this.#lastSeq = seq
  }

  /** Takes everything that `merge` hands over, and writes it. The trigger gets its place also where no ring held it. */
  take(merge: (target: MergeTarget) => unknown): void {
    merge(this)
    if (!this.#sawTrigger) this.#putTrigger()
    this.#seal()
    this.#flush()
  }

  #putTrigger(): void {
    this.#seal()
    this.#flush()
    this.#write(eventBlock(this.#trigger.payload, this.#trigger.seq, BlockFlag.trigger, this.#sync))
    this.#sawTrigger = true
  }

  #nextBlock(): void {
    this.#seal()
    if (this.#block + this.#blockWords > this.#words.length) this.#flush()
  }

  #seal(): void {
    if (this.#events === 0) return
    const at = this.#block * 4
    const length = (this.#at - this.#block - HEAD_WORDS) * 4
    const seqs = { firstSeq: this.#firstSeq, lastSeq: this.#lastSeq }
    const meta = { type: BlockType.events, flags: 0, events: this.#events, ...seqs, length }
    sealBlock(this.#bytes, at, meta, this.#sync)
    this.#startBlock(this.#at)
  }

  #flush(): void {
    if (this.#block > 0) this.#write(this.#bytes.subarray(0, this.#block * 4))
    this.#startBlock(0)
  }

  #startBlock(at: number): void {
    this.#block = at
    this.#at = at + HEAD_WORDS
    this.#end = at + this.#blockWords
    this.#events = 0
  }
}

/** Four words a turn: the engine looks at both arrays anew in each. */
function copyWords(
  words: Int32Array,
  position: number,
  mask: number,
  length: number,
  target: Int32Array,
  at: number,
): void {
  let i = 0
  if (position + length <= mask) {
    let from = CONTROL_WORDS + position
    for (let to = at; i + 4 <= length; i += 4, from += 4, to += 4) {
      target[to] = words[from] as number
      target[to + 1] = words[from + 1] as number
      target[to + 2] = words[from + 2] as number
      target[to + 3] = words[from + 3] as number
    }
  }
  for (; i < length; i++) target[at + i] = words[CONTROL_WORDS + ((position + i) & mask)] as number
}

/** A block of its own for one event. */
export function eventBlock(payload: Uint8Array, seq: number, flags: number, sync: Uint8Array): Uint8Array {
  const length = 4 + ((payload.length + 3) & ~3)
  const block = new Uint8Array(BLOCK_HEAD_BYTES + length)
  new DataView(block.buffer).setUint32(BLOCK_HEAD_BYTES, payload.length, true)
  block.set(payload, BLOCK_HEAD_BYTES + 4)
  sealBlock(block, 0, { type: BlockType.events, flags, events: 1, firstSeq: seq, lastSeq: seq, length }, sync)
  return block
}

/** The memory of all incidents, taken and touched; the first time before an incident needs it. */
export function sharedStaging(): Staging {
  shared ??= newStaging(STAGING_BYTES, BLOCK_BYTES)
  return shared
}

export function newStaging(bytes: number, blockBytes: number): Staging {
  const memory = new ArrayBuffer(bytes)
  return { bytes: new Uint8Array(memory).fill(1), words: new Int32Array(memory), blockBytes }
}
