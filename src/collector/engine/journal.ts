import type { Clock } from '../../base/clock'
import { messageOf } from '../../base/errors'
import type { EngineLog, EngineMetrics, Settings } from './config'
import { isTryAgain } from './errors'
import { type EngineEvent, EventStream } from './events'
import { whenRefused } from './promised'

type Level = keyof EngineLog

/** What is not here is a detail. */
const LEVELS: Readonly<Partial<Record<EngineEvent['type'], Level>>> = {
  abandoned: 'error',
  killed: 'error',
  failed: 'warn',
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
    const { type, error, reason, ...rest } = event
    const fields = reason === undefined ? rest : { ...rest, reason: messageOf(reason) }
    const message = `${event.part ?? 'engine'} ${type}`
    try {
      const told = error === undefined ? fields : { ...fields, error: messageOf(error) }
      whenRefused(this.#log[levelOf(event)](message, told), () => {})
    } catch {
      // There is no other place to say it: the log itself is what failed.
    }
  }

  measure(part: string, measure: (metrics: EngineMetrics) => unknown): void {
    if (this.#metrics === undefined) return
    const failed = (error: unknown) => this.emit({ type: 'failed', part, error })
    try {
      whenRefused(measure(this.#metrics), failed)
    } catch (error) {
      failed(error)
    }
  }
}

function levelOf({ type, error }: Omit<EngineEvent, 'at'>): Level {
  if (type === 'dying' || type === 'dead') return error === undefined ? 'info' : 'error'
  if (type === 'decided') return isTryAgain(error) ? 'info' : 'warn'
  return LEVELS[type] ?? 'debug'
}
