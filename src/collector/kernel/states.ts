import type { Clock } from '../../base/clock'
import { KERNEL_STATES } from '../../base/kernel-limits'
import type { Action, SeenEvent } from './event'
import { Window } from './window'

/** What is known of one trouble of one part. */
export interface ErrorState {
  readonly part: string
  readonly fingerprint: string
  /** Of the last occurrence. */
  readonly message: string
  /** Microseconds since the epoch. */
  readonly firstSeen: number
  readonly lastSeen: number
  readonly total: number
  /** Occurrences within the window, 60 s by default. */
  readonly countInWindow: number
  readonly lastAction?: Action
}

/** What is shown, and nothing else of the events: there are thousands. */
interface Entry {
  readonly part: string
  readonly fingerprint: string
  message: string
  readonly firstSeen: number
  lastSeen: number
  total: number
  lastAction: Action | undefined
  readonly window: Window
}

/** The error states of a kernel. Bounded: the one that was not seen for the longest time gives way. */
export class ErrorStates {
  readonly #clock: Clock
  readonly #windowMs: number
  /** By fingerprint, which has the part in it; the last seen last. */
  readonly #entries = new Map<string, Entry>()

  constructor(clock: Clock, windowMs: number) {
    this.#clock = clock
    this.#windowMs = windowMs
  }

  /** Counts an occurrence. */
  note(event: SeenEvent): ErrorState {
    const { fingerprint } = event
    const entry = this.#entries.get(fingerprint) ?? this.#newEntry(event)
    entry.message = event.message
    entry.lastSeen = event.time
    entry.total++
    entry.window.add(this.#clock.monotonic())
    this.#entries.delete(fingerprint)
    this.#entries.set(fingerprint, entry)
    const oldest = this.#entries.keys().next()
    if (this.#entries.size > KERNEL_STATES && oldest.done !== true) this.#entries.delete(oldest.value)
    return this.#stateOf(entry)
  }

  decided(event: SeenEvent, action: Action): void {
    const entry = this.#entries.get(event.fingerprint)
    if (entry !== undefined) entry.lastAction = action
  }

  /** Of one part or of all, the last seen last. */
  list(part?: string): readonly ErrorState[] {
    const states = [...this.#entries.values()].map((entry) => this.#stateOf(entry))
    return part === undefined ? states : states.filter((state) => state.part === part)
  }

  #newEntry({ part, fingerprint, message, time }: SeenEvent): Entry {
    return {
      ...{ part, fingerprint, message, firstSeen: time, lastSeen: time, total: 0 },
      ...{ lastAction: undefined, window: new Window(this.#windowMs) },
    }
  }

  #stateOf({
    part,
    fingerprint,
    message,
    firstSeen,
    lastSeen,
    total,
    lastAction,
    window,
  }: Entry): ErrorState {
    return {
      ...{ part, fingerprint, message, firstSeen, lastSeen, total },
      countInWindow: window.count(this.#clock.monotonic()),
      ...(lastAction !== undefined && { lastAction }),
    }
  }
}
