import type { Clock, Timer } from '../base/clock'
import { HEALTH_MS } from '../base/limits'
import { DEBUG } from '../event/severity'
import type { LoopDelay } from './pulse'
import { HEALTH_FACILITY } from './ring-options'

/** Readers ask for it seldom, and it comes every second: nothing for `info`. */
export const HEALTH_SEVERITY = DEBUG

const MESSAGE = 'event loop up to {delayMaxMs} ms late, heap {heapUsed} of {heapTotal} bytes, resident {rss}'

export interface HealthParts {
  readonly clock: Clock
  readonly record: (severity: number, message: string, facility: string, fields: HealthSample) => void
  readonly pulse: { takeDelay(): LoopDelay }
  /** Milliseconds between two samples. Default 1000. */
  readonly everyMs?: number
}

/** Fields of one event: milliseconds since the sample before, with hundredths, and bytes. */
export interface HealthSample {
  readonly delayMaxMs: number
  readonly delayMeanMs: number
  readonly heapUsed: number
  readonly heapTotal: number
  readonly external: number
  /** Absent where the system does not tell, as in a process that has run out of file descriptors. */
  readonly rss?: number
  readonly cpuUserMs: number
  readonly cpuSystemMs: number
}

/**
 * Records every second how the process is, so that each incident shows the minutes before. A busy program turns over its
 * rings in seconds: the facility needs one of its own (`HEALTH_RING_BYTES`), whatever severity its events have.
 *
 * A sample takes 11 µs in a row, and some 150 µs where the caches have forgotten it since the last one, half of it to ask the
 * system for the resident set. How many handles are open is not told: to count them takes the longer the more there are.
 */
export class HealthSampler {
  readonly #parts: HealthParts
  readonly #timer: Timer
  readonly #heapStatistics: () => import('node:v8').HeapInfo
  #cpu = process.cpuUsage()

  constructor(parts: HealthParts) {
    this.#parts = parts
    const v8 = require('node:v8') as typeof import('node:v8')
    this.#heapStatistics = v8.getHeapStatistics
    this.#timer = parts.clock.every(parts.everyMs ?? HEALTH_MS, () => this.#sample())
  }

  /** Idempotent. */
  close(): void {
    this.#timer.cancel()
  }

  #sample(): void {
    const { maxMs, meanMs } = this.#parts.pulse.takeDelay()
    const heap = this.#heapStatistics()
    const before = this.#cpu
    const cpu = process.cpuUsage()
    this.#cpu = cpu
    this.#parts.record(HEALTH_SEVERITY, MESSAGE, HEALTH_FACILITY, {
      delayMaxMs: hundredths(maxMs),
      delayMeanMs: hundredths(meanMs),
      heapUsed: heap.used_heap_size,
      heapTotal: heap.total_heap_size,
      external: heap.external_memory,
      ...residentSet(),
      cpuUserMs: hundredths((cpu.user - before.user) / 1000),
      cpuSystemMs: hundredths((cpu.system - before.system) / 1000),
    })
  }
}

/** `memoryUsage()` tells all this too, but throws where it cannot open a file for the resident set. */
function residentSet(): { readonly rss?: number } {
  try {
    return { rss: process.memoryUsage.rss() }
  } catch {
    return {}
  }
}

function hundredths(ms: number): number {
  return Math.round(ms * 100) / 100
}
