import { writeSync } from 'node:fs'
import { type Clock, isoMicros, type Timer } from '../../base/clock'
import { KERNEL_LOCAL_LINE_MS, KERNEL_LOCAL_TROUBLES } from '../../base/kernel-limits'
import { reaches, rowOf, type SeenEvent, type Threshold } from './event'
import { escaped, jsonLine } from './plain'

export interface LocalLogOptions {
  readonly clock: Clock
  readonly level: Threshold
  readonly format: 'json' | 'text'
  readonly timestamps: boolean
  /** Takes a line without its end; default stderr. */
  readonly write?: ((line: string) => void) | undefined
}

interface Held {
  readonly timer: Timer
  last: SeenEvent
  /** Occurrences that no line was written for. */
  count: number
}

/** Shows events on stderr, each at once; of one that repeats itself, a line a second with the count since the last line. */
export class LocalLog {
  readonly #options: LocalLogOptions
  readonly #write: (line: string) => void
  /** Of whatever had a line within the last second. */
  readonly #held = new Map<string, Held>()
  #isShowing = false

  constructor(options: LocalLogOptions) {
    this.#options = options
    this.#write = options.write ?? writeStderr
  }

  write(event: SeenEvent): void {
    if (!reaches(event.level, this.#options.level)) return
    const held = this.#held.get(event.fingerprint)
    if (held !== undefined) {
      held.last = event
      held.count++
      return
    }
    this.#show(event)
    this.#hold(event)
  }

  /** Whatever the level: for what nobody else is there to hear. */
  lastResort(event: SeenEvent): void {
    this.#show(event)
  }

  /** Shows what was held back. */
  flush(): void {
    for (const fingerprint of [...this.#held.keys()]) this.#release(fingerprint)
  }

  #hold(event: SeenEvent): void {
    const timer = this.#options.clock.after(KERNEL_LOCAL_LINE_MS, () => {
      if (this.#release(event.fingerprint)) this.#hold(event)
    })
    this.#held.set(event.fingerprint, { timer, last: event, count: 0 })
    const oldest = this.#held.keys().next()
    if (this.#held.size > KERNEL_LOCAL_TROUBLES && oldest.done !== true) this.#release(oldest.value)
  }

  /** @returns whether there was something to show */
  #release(fingerprint: string): boolean {
    const held = this.#held.get(fingerprint)
    if (held === undefined) return false
    this.#held.delete(fingerprint)
    held.timer.cancel()
    if (held.count === 0) return false
    this.#show({ ...held.last, repeat: held.count, lastTime: held.last.time })
    return true
  }

  #show(event: SeenEvent): void {
    // What takes the lines may report something itself.
    if (this.#isShowing) return
    this.#isShowing = true
    try {
      this.#write(this.#options.format === 'json' ? this.#json(event) : this.#text(event))
    } catch {
      // Nobody is left who could be told.
    } finally {
      this.#isShowing = false
    }
  }

  #json(event: SeenEvent): string {
    const { time, lastTime, ...row } = rowOf(event)
    return jsonLine(this.#options.timestamps ? { time, ...row, ...(lastTime && { lastTime }) } : row)
  }

  #text({ time, level, part, message, decision, repeat }: SeenEvent): string {
    return [
      ...(this.#options.timestamps ? [isoMicros(time)] : []),
      ...[level.padEnd(7), `${escaped(part)}:`, escaped(message)],
      ...(decision === undefined ? [] : [`(${decision.action}: ${escaped(decision.reason)})`]),
      ...(repeat > 1 ? [`[${repeat} times]`] : []),
    ].join(' ')
  }
}

/** Not `process.stderr`: a reader that is gone would become an event that ends the process. */
function writeStderr(line: string): void {
  writeSync(2, `${line}\n`)
}
