import type { Plain, PlainObject } from '../../../src/event/event'
import type { IncidentHeader } from '../../../src/incident/header'
import type { RecordedEvent } from '../../../src/incident/parts'
import { Problem } from '../failure'
import { count } from '../show/words'
import type { Style } from '../style'
import { escapeLine } from '../terminal'
import type { DumpedFile } from './write-parts'

/** What is held in memory to be looked at as a whole: more than the default rings have room for, some 100 MiB as objects. */
const HELD_EVENTS = 100_000
/** The same in characters, since events may be long. */
const HELD_CHARS = 24 * 1024 * 1024
const FINDINGS = 8

/** Events that are held back until all are known: to say above them what stands out, or to put them in a tree. */
export class HeldHistory {
  readonly isTree: boolean
  readonly all: RecordedEvent[] = []
  readonly selected: RecordedEvent[] = []
  #chars = 0
  #full = false

  private constructor(isTree: boolean) {
    this.isTree = isTree
  }

  static forTree(): HeldHistory {
    return new HeldHistory(true)
  }

  /** Undefined for a file of which the header says that it has more events than are held. */
  static forFindings({ rings }: IncidentHeader): HeldHistory | undefined {
    const events = rings.reduce((total, ring) => total + ring.events, 0)
    return events > HELD_EVENTS ? undefined : new HeldHistory(false)
  }

  /**
   * @returns false where no more can be held; what was taken is to be shown then
   * @throws Problem where that cannot be: only what is whole makes a tree
   */
  take(selected: readonly RecordedEvent[], all: readonly RecordedEvent[]): boolean {
    for (const recorded of selected) this.selected.push(recorded)
    const held = this.isTree ? selected : all
    if (!this.isTree) for (const recorded of all) this.all.push(recorded)
    for (const { event } of held)
      this.#chars +=
        event.message.length + weightOf(event.fields) + weightOf(event.error as Plain | undefined)
    const number = this.isTree ? this.selected.length : this.all.length
    this.#full = number > HELD_EVENTS || this.#chars > HELD_CHARS
    if (this.#full && this.isTree) {
      throw new Problem(
        `a tree of more than ${count(HELD_EVENTS, 'event')} does not fit into memory`,
        'select some of them: --only trace=ID, --around SECONDS or --where FILTER',
      )
    }
    return !this.#full
  }

  /** What stands out, with its evidence; none where nothing does. */
  findingLines({ header, trailer }: DumpedFile, style: Style): string[] {
    if (this.isTree || this.#full || this.all.length === 0) return []
    const { whatStandsOut } =
      require('../../../src/query/stands-out') as typeof import('../../../src/query/stands-out')
    const findings = whatStandsOut({ header, trailer, events: this.all })
    if (findings.length === 0) return []
    const lines = findings.slice(0, FINDINGS).map(({ text, count: events, filter }, index) => {
      const evidence = events === 0 ? '' : `  ${style.dim(`[${count(events, 'event')}]`)}`
      const shown = filter === undefined ? '' : `  ${style.dim(`--where ${quoted(escapeLine(filter))}`)}`
      return `  ${String(index + 1).padStart(2)}  ${escapeLine(text)}${evidence}${shown}`
    })
    return [style.bold('what stands out'), ...lines, '']
  }
}

/** For a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** About how many characters a value has. */
function weightOf(value: Plain | undefined, depth = 8): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 8
  if (value instanceof Uint8Array) return value.length
  if (depth === 0) return 0
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + weightOf(item, depth - 1), 16)
  let sum = 32
  for (const key in value as PlainObject) sum += 16 + weightOf((value as PlainObject)[key], depth - 1)
  return sum
}
