import type { IncidentHeader } from '../../../src/incident/header'
import type { RecordedEvent } from '../../../src/incident/parts'
import type { RingState } from '../../../src/ring/layout'
import type { Style } from '../style'
import { escapeLine } from '../terminal'
import { duration, relativeSeconds } from './time'
import { count, grouped } from './words'

/** A history that is shorter than this, and was cut, is seldom enough to see what led up to it. */
const SHORT_HISTORY_US = 30e6
const KIB = 1024
const MIB = 1024 * KIB
/** What is proposed for a ring: at most so many times what it has, and never more than this. */
const PROPOSED_GROWTH = 16
const PROPOSED_BYTES = 256 * MIB
const CLOCK_FACILITY = 'flog.clock'
/** Clock jumps that are named; the others are counted. */
const NAMED_JUMPS = 3

/** Judges a recording: what it lacks, and the option by which the next one has it. */
export class RecordingJudge {
  readonly #jumps: { readonly time: number; readonly ms: number }[] = []
  #jumpCount = 0
  #cutEvents = 0

  see(events: readonly RecordedEvent[]): void {
    for (const { event } of events) {
      if (event.cut !== undefined) this.#cutEvents++
      if (event.facility !== CLOCK_FACILITY) continue
      const { ms } = event.fields
      if (typeof ms !== 'number') continue
      this.#jumpCount++
      if (this.#jumps.length < NAMED_JUMPS) this.#jumps.push({ time: event.time, ms })
    }
  }

  /** None where there is nothing to say. */
  lines(header: IncidentHeader | undefined, style: Style): string[] {
    const lines = [
      ...(header === undefined ? [] : [...ringLines(header), ...suppressedLines(header)]),
      ...this.#jumpLines(header),
      ...(this.#cutEvents === 0
        ? []
        : [`${count(this.#cutEvents, 'event')} too long and cut; to keep more of them: eventBytes: '64KiB'`]),
    ]
    return lines.length === 0 ? [] : [style.bold('about the recording'), ...lines.map((line) => `  ${line}`)]
  }

  #jumpLines(header: IncidentHeader | undefined): string[] {
    const lines = this.#jumps.map(({ time, ms }) => {
      const at = header === undefined ? '' : ` at ${relativeSeconds(time - header.trigger.event.time)} s`
      return `the wall clock jumped by ${relativeSeconds(ms * 1000)} s${at}: times before and after do not compare`
    })
    const more = this.#jumpCount - this.#jumps.length
    return more === 0 ? lines : [...lines, `and ${count(more, 'more jump')} of the wall clock`]
  }
}

function ringLines({ rings, trigger }: IncidentHeader): string[] {
  const cut = rings.filter(({ evicted, events }) => evicted > 0 && events > 0)
  const byName = new Map<string, RingState>()
  for (const ring of cut) {
    const name = nameOf(ring)
    const other = byName.get(name)
    // Threads have rings of their own; the one that reaches back least is the one to know of.
    if (other === undefined || ring.oldest > other.oldest) byName.set(name, ring)
  }
  const lines = [...byName].flatMap(([name, ring]) => {
    const span = Math.max(0, trigger.event.time - ring.oldest)
    if (span >= SHORT_HISTORY_US) return []
    return [
      `${name} reaches back ${duration(span)} only, ${count(ring.evicted, 'older event')} overwritten; for more history: ${ringOption(ring, span)}`,
    ]
  })
  const evicted = cut.reduce((sum, ring) => sum + ring.evicted, 0)
  const isTold = lines.length === byName.size
  return evicted === 0 || isTold
    ? lines
    : [...lines, `${count(evicted, 'event')} in all were overwritten since the process began`]
}

function nameOf({ severity, facility }: RingState): string {
  return escapeLine(facility === '' ? severity : `${severity} of ${facility}`)
}

/** `rings: { debug: '8MiB' }`: so much that the history would be long enough, had the program gone on like that. */
function ringOption({ severity, facility, capacityBytes }: RingState, span: number): string {
  const wanted = (capacityBytes * SHORT_HISTORY_US) / Math.max(1, span)
  const most = Math.max(2 * capacityBytes, Math.min(PROPOSED_BYTES, PROPOSED_GROWTH * capacityBytes))
  const bytes = 2 ** Math.ceil(Math.log2(Math.min(most, Math.max(2 * capacityBytes, wanted, 64 * KIB))))
  const size = bytes >= MIB ? `${bytes / MIB}MiB` : `${bytes / KIB}KiB`
  const sizes = `{ ${escapeLine(severity)}: '${size}' }`
  return facility === '' ? `rings: ${sizes}` : `facilities: { '${escapeLine(facility)}': ${sizes} }`
}

function suppressedLines({ suppressed }: IncidentHeader): string[] {
  const limits = [
    [suppressed.perHour, 'limits.perHour'],
    [suppressed.perFingerprint, 'limits.perFingerprintPerHour'],
    [suppressed.coolDown, 'limits.coolDownMs'],
  ] as const
  return limits
    .filter(([number]) => number > 0)
    .map(
      ([number, option]) =>
        `${grouped(number)} ${number === 1 ? 'incident was' : 'incidents were'} not recorded before this one, by ${option}`,
    )
}
