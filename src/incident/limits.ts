import type { Clock } from '../base/clock'
import { INCIDENT_COOL_DOWN_MS, INCIDENTS_PER_FINGERPRINT_PER_HOUR, INCIDENTS_PER_HOUR } from '../base/limits'
import { parseNumber, parseWhole } from '../base/numbers'
import type { SuppressedCounts } from './header'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/**
 * Fingerprints whose incidents are counted; a program that makes up ever new ones is held back by `perHour`.
 */
const REMEMBERED = 10_000

export interface LimitOptions {
  /** Incidents within any hour, at least 1, default 60; Infinity for no limit. */
  readonly perHour?: number
  /** Incidents of one fingerprint within any hour, at least 1, default 5; Infinity for no limit. */
  readonly perFingerprintPerHour?: number
  /**
   * Milliseconds from one incident's beginning until the next may begin, up to a day, default 1000; 0 for
   * none.
   */
  readonly coolDownMs?: number
}

export type Admission = 'admitted' | keyof SuppressedCounts

/**
 * Stands behind every qualifier: a program that fails in a loop must not fill the disk. Sliding windows of an
 * hour on the machine's monotonic clock.
 */
export class IncidentLimits {
  readonly #clock: Clock
  readonly #coolDownMs: number
  readonly #perFingerprint: number
  readonly #all: SlidingHour
  /** By fingerprint, the one least recently admitted first. */
  readonly #byFingerprint = new Map<string, SlidingHour>()
  #lastAdmitted = -Infinity
  #admitted = 0
  #suppressed = noneSuppressed()
  #suppressedEver = noneSuppressed()

  /** @throws FlogError FLOG_OPTION_INVALID */
  constructor(options: LimitOptions & { readonly clock: Clock }) {
    const { clock, perHour, perFingerprintPerHour, coolDownMs } = options
    this.#clock = clock
    this.#all = new SlidingHour(parseWhole('limits.perHour', perHour ?? INCIDENTS_PER_HOUR, 1, Infinity))
    this.#perFingerprint = parseWhole(
      'limits.perFingerprintPerHour',
      perFingerprintPerHour ?? INCIDENTS_PER_FINGERPRINT_PER_HOUR,
      1,
      Infinity,
    )
    this.#coolDownMs = parseNumber(
      'limits.coolDownMs',
      coolDownMs ?? INCIDENT_COOL_DOWN_MS,
      0,
      DAY_MS,
      'milliseconds',
    )
  }

  /**
   * Whether an incident may begin now, and if not, what holds it back; counts it either way. One that
   * somebody asked for (`manual`) is held back by `perHour` only.
   */
  admit(fingerprint: string, options: { readonly manual?: boolean } = {}): Admission {
    const now = this.#clock.monotonic()
    const held = this.#heldBackBy(fingerprint, now, options.manual === true)
    if (held === undefined) {
      this.#count(fingerprint, now)
      return 'admitted'
    }
    this.#suppressed[held]++
    this.#suppressedEver[held]++
    return held
  }

  /** What was held back since this was last asked, for the header of the incident that begins. */
  takeSuppressed(): SuppressedCounts {
    const taken = this.#suppressed
    this.#suppressed = noneSuppressed()
    return taken
  }

  /** Since the process began. */
  stats(): { readonly admitted: number; readonly suppressed: SuppressedCounts } {
    return { admitted: this.#admitted, suppressed: { ...this.#suppressedEver } }
  }

  #heldBackBy(fingerprint: string, now: number, manual: boolean): keyof SuppressedCounts | undefined {
    if (!manual && now - this.#lastAdmitted < this.#coolDownMs) return 'coolDown'
    if (!manual && this.#byFingerprint.get(fingerprint)?.isFull(now)) return 'perFingerprint'
    return this.#all.isFull(now) ? 'perHour' : undefined
  }

  #count(fingerprint: string, now: number): void {
    this.#admitted++
    this.#lastAdmitted = now
    this.#all.add(now)
    if (this.#perFingerprint === Infinity) return
    const hour = this.#byFingerprint.get(fingerprint) ?? new SlidingHour(this.#perFingerprint)
    hour.add(now)
    this.#byFingerprint.delete(fingerprint)
    this.#byFingerprint.set(fingerprint, hour)
    this.#forget(now)
  }

  /** Those whose last incident is an hour ago, and the oldest where there are too many. */
  #forget(now: number): void {
    for (const [fingerprint, hour] of this.#byFingerprint) {
      if (!hour.isOver(now) && this.#byFingerprint.size <= REMEMBERED) return
      this.#byFingerprint.delete(fingerprint)
    }
  }
}

/** The newest `limit` times; full while the oldest of them is less than an hour ago. */
class SlidingHour {
  readonly #limit: number
  #times: number[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  add(now: number): void {
    if (this.#limit === Infinity) return
    this.#times.push(now)
    const recent = this.#times.findIndex((time) => now - time < HOUR_MS)
    this.#times = this.#times.slice(Math.max(recent, this.#times.length - this.#limit))
  }

  isFull(now: number): boolean {
    const oldest = this.#times.at(-this.#limit)
    return oldest !== undefined && now - oldest < HOUR_MS
  }

  isOver(now: number): boolean {
    return now - (this.#times.at(-1) ?? -Infinity) >= HOUR_MS
  }
}

function noneSuppressed(): { -readonly [key in keyof SuppressedCounts]: number } {
  return { perHour: 0, perFingerprint: 0, coolDown: 0 }
}
