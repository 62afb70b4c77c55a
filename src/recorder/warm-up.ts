import { type Clock, SystemClock } from '../base/clock'
import { EventEncoder } from '../codec/encoder'
import { Redactor } from '../event/redact'
import { HistoryWriter, prepareStaging } from '../incident/history'
import { ControlBlock } from '../ring/control'
import { mergeHistory } from '../ring/merge'
import { RingSet } from '../ring/set'

/** Enough events for the engine to compile the merge before it matters, few enough for one turn of the event loop. */
const EVENTS = 3000
const ROUNDS = 4
let warmed = false

/**
 * Runs the work of a trigger once on made-up events, soon after the start and off every critical path: the first trigger
 * of a process is the one that counts, and merging with cold code takes three times as long.
 */
export function warmUp(clock: Clock): void {
  if (warmed) return
  warmed = true
  clock.after(0, () => {
    prepareStaging()
    const rings = madeUpRings()
    const round = (left: number) => {
      mergeOnce(rings)
      if (left > 1) clock.after(0, () => round(left - 1))
    }
    round(ROUNDS)
  })
}

function madeUpRings(): RingSet {
  const size = '32KiB'
  const rings = new RingSet({ sizes: { trace: size, debug: size, info: size, warn: size, error: size, fatal: size } })
  const encoder = new EventEncoder(new Redactor(), 4096)
  const control = new ControlBlock()
  const time = new SystemClock().now()
  for (let i = 0; i < EVENTS; i++) {
    const severity = 1 + 4 * (i % 6)
    const length = encoder.encode(time, severity, 'warming up', '', { i, half: i / 2, text: `event ${i}` })
    encoder.stamp(control.nextSeq())
    rings.select(severity, '').append(encoder.words, length)
  }
  return rings
}

function mergeOnce(rings: RingSet): void {
  const sync = new Uint8Array(16)
  const trigger = { seq: EVENTS, payload: new Uint8Array(32) }
  const writer = new HistoryWriter(sync, trigger, () => {})
  writer.take((target) => mergeHistory(rings.handles, target, { ownThread: 0, until: EVENTS }))
}
