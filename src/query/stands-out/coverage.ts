import type { LogEvent } from '../../event/event'
import { facilityMatches } from '../../event/facility'
import { bandIndex, bandName, SEVERITY_BANDS } from '../../event/severity'
import type { IncidentHeader } from '../../incident/header'

/**
 * From when on a recording has the events of each ring. Each severity has one of its own, so that the noisy ones reach back
 * seconds and the others hours: what was rare before need not have been.
 */
export class Coverage {
  readonly #rings: IncidentHeader['rings']
  readonly #start: number
  readonly #known = new Map<string, number[]>()
  readonly #guesses: readonly number[]

  /** @param events in the order of time */
  constructor(header: IncidentHeader | undefined, events: readonly LogEvent[]) {
    this.#rings = [...(header?.rings ?? [])].sort((one, other) => other.facility.length - one.facility.length)
    this.#start = events[0]?.time ?? 0
    this.#guesses = this.#rings.length > 0 ? [] : guessed(events, this.#start)
  }

  /** All of it has events of all kinds. */
  get isEven(): boolean {
    return (
      this.#rings.every(({ evicted }) => evicted === 0) && this.#guesses.every((from) => from === this.#start)
    )
  }

  /** Microseconds since the epoch; an event like this one that came later is in the recording. */
  from({ facility, severity, thread = 0 }: LogEvent): number {
    const band = bandIndex(severity)
    const slot = thread * SEVERITY_BANDS.length + band
    let known = this.#known.get(facility)
    if (known === undefined) {
      known = []
      if (this.#known.size < REMEMBERED) this.#known.set(facility, known)
    }
    known[slot] ??= this.#search(facility, band, thread)
    return known[slot]
  }

  #search(facility: string, band: number, thread: number): number {
    const name = bandName(band * 4 + 1)
    const ring = this.#rings.find(
      (ring) => ring.severity === name && ring.thread === thread && facilityMatches(ring.facility, facility),
    )
    if (ring === undefined) return this.#guesses[band] ?? this.#start
    return ring.evicted > 0 ? Math.max(ring.oldest, this.#start) : this.#start
  }
}

/** Facilities: a program that makes up names has no end of them. */
const REMEMBERED = 10_000
/** Where no ring is known, of a foreign file: a severity with so many events may have lost older ones. */
const MANY = 100

function guessed(events: readonly LogEvent[], start: number): readonly number[] {
  const first: (number | undefined)[] = []
  const counts = SEVERITY_BANDS.map(() => 0)
  for (const { severity, time } of events) {
    const band = bandIndex(severity)
    first[band] ??= time
    counts[band] = (counts[band] ?? 0) + 1
  }
  return counts.map((count, band) => (count < MANY ? start : (first[band] ?? start)))
}
