import type { Clock } from '../../base/clock'
import { messageOf } from '../../base/errors'
import type { EngineLog, EngineMetrics, Settings } from './config'
import { type EngineEvent, EventStream } from './events'

type Level = keyof EngineLog

const LEVELS: Readonly<Partial<Record<EngineEvent['type'], Level>>> = {
  abandoned: 'error',
  killed: 'error',
  failed: 'warn',
  decided: 'warn',
  dying: 'info',
  dead: 'info',
}

/** Tells readers of events, the log and the metrics what happens, and survives what they throw. */
export class Journal {
  readonly events = new EventStream()
  readonly #clock: Clock
  readonly #log: EngineLog | undefined
  readonly #metrics: EngineMetrics | undefined

  constructor({ clock, log, metrics }: Settings) {
    this.#clock = clock
    this.#log = log
    this.#metrics = metrics
  }

  emit(event: Omit<EngineEvent, 'at'>): void {
    this.events.emit({ at: this.#clock.now(), ...event })
    if (this.#log === undefined) return
    const { type, error, ...fields } = event
    const message = `${event.part ?? 'engine'} ${type}`
    try {
      this.#log[LEVELS[type] ?? 'debug'](
        message,
        error === undefined ? fields : { ...fields, error: messageOf(error) },
      )
    } catch {
      // There is no other place to say it: the log itself is what failed.
    }
  }

  measure(part: string, measure: (metrics: EngineMetrics) => void): void {
    if (this.#metrics === undefined) return
    try {
      measure(this.#metrics)
    } catch (error) {
      this.emit({ type: 'failed', part, error })
    }
  }
}
