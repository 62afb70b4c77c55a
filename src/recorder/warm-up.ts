import { type Clock, SystemClock, type Timer } from '../base/clock'
import { peekSeq } from '../codec/decode'
import { EventEncoder } from '../codec/encoder'
import { encodeValue } from '../codec/value'
import { EncodedEvent } from '../codec/view'
import { Redactor } from '../event/redact'
import { fingerprintOf } from '../incident/fingerprint'
import { HistoryWriter, type MarkedEvent, newStaging, sharedStaging } from '../incident/history'
import { ControlBlock } from '../ring/control'
import { mergeHistory } from '../ring/merge'
import { RingSet } from '../ring/set'

/** Rings that are full, blocks that are filled, staging that is flushed: every way of the merge, in little. */
const RING = '64KiB'
const EVENTS = 8000
const STAGING = 32 * 1024
const BLOCK = 8 * 1024
/** After so many rounds, a millisecond each or less, the engine has compiled the merge for good. */
const ROUNDS = 30
let warmed = false

/**
 * Runs the work of a trigger on made-up events, soon after the start, in turns of the event loop of their own: the first
 * trigger of a process is the one that counts, and merging with cold code takes five times as long. Once a process.
 */
export class WarmUp {
  readonly #clock: Clock
  #timer: Timer | undefined

  constructor(clock: Clock) {
    this.#clock = clock
    if (warmed) return
    warmed = true
    this.#later(() => {
      sharedStaging()
      const history = madeUpHistory()
      this.#later(() => this.#round(history, ROUNDS))
    })
  }

  /** Leaves it at what was done. */
  stop(): void {
    this.#timer?.cancel()
  }

  #round(history: MadeUpHistory, left: number): void {
    history.merge(left)
    if (left > 1) this.#later(() => this.#round(history, left - 1))
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

interface MadeUpHistory {
  /** @param round any number; the rounds should have different ones */
  merge(round: number): void
}

function madeUpHistory(): MadeUpHistory {
  const sizes = { trace: RING, debug: RING, info: RING, warn: RING, error: RING, fatal: RING }
  const rings = new RingSet({ sizes })
  const encoder = new EventEncoder(new Redactor(), 4096)
  // Numbers above 2^31 are doubles to the engine, smaller ones may be: code compiled for doubles takes both.
  const control = new ControlBlock(2 ** 33)
  const time = new SystemClock().now()
  let length = 0
  for (let i = 0; i < EVENTS; i++) {
    // Severities that change at each event, and some that stay the same for a while.
    const severity = 1 + 4 * ((i >> (i & 1024 ? 4 : 0)) % 6)
    // Of all lengths: what is only done for some would be new to the engine when it matters.
    length = encoder.encode(time, severity, 'warming up', '', { i, half: i / 2, text: '.'.repeat(i % 23) })
    encoder.stamp(control.nextSeq())
    rings.select(severity, '').append(encoder.longs, length)
  }
  const payload = Uint8Array.prototype.slice.call(encoder.bytes, 0, length)
  const trigger: MarkedEvent = { seq: peekSeq(payload), payload }
  prepareHeader(payload)
  const sync = new Uint8Array(16)
  const staging = newStaging(STAGING, BLOCK)
  return {
    merge: (round: number) => {
      const writer = new HistoryWriter(sync, trigger, WRITES[round % WRITES.length] as Write, staging)
      writer.take((target) => mergeHistory(rings.handles, target, { ownThread: 0, until: trigger.seq }))
    },
  }
}

type Write = (bytes: Uint8Array) => void

/** Several, so that the engine does not compile one of them into the merge, and starts anew when a real one comes. */
const WRITES: readonly Write[] = [
  (bytes) => void bytes.length,
  (bytes) => void bytes.byteLength,
  (bytes) => void bytes[0],
  (bytes) => void bytes.byteOffset,
  (bytes) => void bytes.at(-1),
]

/** What else is done once an incident, and costs most the first time. */
function prepareHeader(payload: Uint8Array): void {
  const event = new EncodedEvent(payload)
  fingerprintOf(event)
  encodeValue(event.decoded)
}
