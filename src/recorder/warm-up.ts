import { type Clock, SystemClock, type Timer } from '../base/clock'
import { peekSeq } from '../codec/decode'
import { EventEncoder } from '../codec/encoder'
import { Redactor } from '../event/redact'
import { HistoryWriter, type MarkedEvent, newStaging, sharedStaging } from '../incident/history'
import { ControlBlock } from '../ring/control'
import { mergeHistory } from '../ring/merge'
import { RingSet } from '../ring/set'
import { rehearseReport } from './rehearsal'

/** Rings that are full, blocks that are filled, staging that is flushed: every way of the merge, in little. */
const RING = '64KiB'
const EVENTS = 5000
const EVENTS_A_TURN = 250
const STAGING = 32 * 1024
const BLOCK = 8 * 1024
/** After so many rounds, a millisecond each or less, the engine has compiled the merge for good. */
const ROUNDS = 30
const REHEARSALS = 3
let warmed = false

/**
 * Runs the work of a trigger on made-up events, soon after the start, in turns of the event loop of their own: the first
 * trigger of a process is the one that counts, and merging with cold code takes five times as long. Once a process.
 */
export class WarmUp {
  readonly #clock: Clock
  readonly #finishesHere: boolean
  #timer: Timer | undefined

  /** @param finishesHere whether this thread compresses incidents; default true */
  constructor(clock: Clock, finishesHere = true) {
    this.#clock = clock
    this.#finishesHere = finishesHere
    if (warmed) return
    warmed = true
    this.#later(() => {
      sharedStaging()
      const history = new MadeUpHistory()
      this.#later(() => this.#fill(history))
    })
  }

  /** Leaves it at what was done. */
  stop(): void {
    this.#timer?.cancel()
  }

  #fill(history: MadeUpHistory): void {
    const full = history.fill()
    this.#later(() => (full ? this.#round(history, ROUNDS) : this.#fill(history)))
  }

  #round(history: MadeUpHistory, left: number): void {
    history.merge(left)
    this.#later(() => (left > 1 ? this.#round(history, left - 1) : this.#rehearse(history, REHEARSALS)))
  }

  #rehearse(history: MadeUpHistory, left: number): void {
    history.rehearse(this.#clock)
    this.#later(() => {
      if (left > 1) this.#rehearse(history, left - 1)
      else if (this.#finishesHere) loadCompressor()
    })
  }

  /** It is of use, not of need: an error in it must not become one of the program's. */
  #later(action: () => void): void {
    this.#timer = this.#clock.after(0, () => {
      try {
        action()
      } catch {
        this.stop()
      }
    })
  }
}

class MadeUpHistory {
  readonly #rings = new RingSet({
    sizes: { trace: RING, debug: RING, info: RING, warn: RING, error: RING, fatal: RING },
  })
  readonly #encoder = new EventEncoder(new Redactor(), 4096)
  // Numbers above 2^31 are doubles to the engine, smaller ones may be: code compiled for doubles takes both.
  readonly #control = new ControlBlock(2 ** 33)
  readonly #time = new SystemClock().now()
  readonly #staging = newStaging(STAGING, BLOCK)
  #made = 0
  #trigger: MarkedEvent = { seq: 0, payload: new Uint8Array(0) }

  /** Makes some more events. @returns true when there are enough */
  fill(): boolean {
    const until = this.#made + EVENTS_A_TURN
    let length = 0
    for (; this.#made < until; this.#made++) length = this.#record(this.#made)
    const payload = Uint8Array.prototype.slice.call(this.#encoder.bytes, 0, length)
    this.#trigger = { seq: peekSeq(payload), payload }
    if (this.#made < EVENTS) return false
    return true
  }

  /** @param round any number; the rounds should have different ones */
  merge(round: number): void {
    const trigger = this.#trigger
    const writer = new HistoryWriter(SYNC, trigger, WRITES[round % WRITES.length] as Write, this.#staging)
    const { handles } = this.#rings
    writer.take((target) => mergeHistory(handles, target, { ownThread: 0, until: trigger.seq }))
  }

  rehearse(clock: Clock): void {
    rehearseReport(this.#rings.handles, this.#trigger, clock)
  }

  #record(i: number): number {
    // Severities that change at each event, and some that stay the same for a while.
    const severity = 1 + 4 * ((i >> (i & 1024 ? 4 : 0)) % 6)
    // Of all lengths: what is only done for some would be new to the engine when it matters.
    const fields = i % 50 === 0 ? { i, err: FAILURE } : { i, half: i / 2, text: '.'.repeat(i % 23) }
    const length = this.#encoder.encode(this.#time, severity, 'warming up', '', fields)
    this.#encoder.stamp(this.#control.nextSeq())
    this.#rings.select(severity, '').append(this.#encoder.longs, length)
    return length
  }
}

/** What triggers has an error with it, as a rule, and events before it seldom have. */
const FAILURE = new Error('warming up')
const SYNC = new Uint8Array(16)

type Write = (bytes: Uint8Array) => void

/** Several, so that the engine does not compile one of them into the merge, and starts anew when a real one comes. */
const WRITES: readonly Write[] = [
  (bytes) => void bytes.length,
  (bytes) => void bytes.byteLength,
  (bytes) => void bytes[0],
  (bytes) => void bytes.byteOffset,
  (bytes) => void bytes.at(-1),
]

/** The largest single module that an incident needs: compiling it takes 10 ms, which it must not take in the window. */
function loadCompressor(): void {
  require('../incident/gzip')
}
