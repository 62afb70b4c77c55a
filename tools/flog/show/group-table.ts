import { severityName } from '../../../src/event/severity'
import { messageText } from '../../../src/event/template'
import type { IncidentSummary } from '../../../src/incident/header'
import { UNKNOWN } from '../../../src/query/classify'
import type { IncidentGroup } from '../../../src/query/groups'
import type { Style } from '../style'
import { clip, escapeLine } from '../terminal'
import { formatTime } from './time'
import { grouped } from './words'

/** Widths that hold what is usual; a longer value pushes its own line only. */
const WIDTHS = { count: 5, when: 19, fingerprint: 16, categories: 16, service: 12, severity: 6 } as const
const MIN_MESSAGE = 20

/** One line a kind of incident. */
export class GroupTable {
  readonly #style: Style
  readonly #columns: number
  readonly #hasCategories: boolean

  /** @param columns characters in a line of the terminal; infinite for a file */
  constructor(style: Style, columns: number, hasCategories: boolean) {
    this.#style = style
    this.#columns = columns
    this.#hasCategories = hasCategories
  }

  get heading(): string {
    const { count, when, fingerprint, categories, service, severity } = WIDTHS
    const names = [
      'COUNT'.padStart(count),
      'FIRST'.padEnd(when),
      'LAST'.padEnd(when),
      'FINGERPRINT'.padEnd(fingerprint),
      ...(this.#hasCategories ? ['CATEGORIES'.padEnd(categories)] : []),
      'SERVICE'.padEnd(service),
      'LEVEL'.padEnd(severity),
      'TRIGGER',
    ]
    return this.#style.dim(names.join('  '))
  }

  line(group: IncidentGroup<IncidentSummary>, categories: readonly string[] = []): string {
    const { latest, severity } = group
    const { event } = latest.trigger
    const named = categories.length === 0 ? UNKNOWN : categories.map(escapeLine).join(',')
    const left = [
      grouped(group.count).padStart(WIDTHS.count),
      when(group.firstSeen),
      when(group.lastSeen),
      escapeLine(group.fingerprint).padEnd(WIDTHS.fingerprint),
      ...(this.#hasCategories ? [named.padEnd(WIDTHS.categories)] : []),
      servicesText(group).padEnd(WIDTHS.service),
    ].join('  ')
    const level = severityName(severity).padEnd(WIDTHS.severity)
    const facility = event.facility === '' ? '' : `${event.facility}: `
    const room = Math.max(MIN_MESSAGE, this.#columns - left.length - level.length - 4)
    const message = clip(`${facility}${messageText(event)}`, room)
    return `${left}  ${this.#style.severity(severity, level)}  ${message}`
  }
}

function when(time: number): string {
  return formatTime('local', time, 0).slice(0, WIDTHS.when).padEnd(WIDTHS.when)
}

/** `shop`, or `shop and 2 more`. */
function servicesText({ incidents, latest }: IncidentGroup<IncidentSummary>): string {
  const others = new Set(incidents.map(({ service }) => service)).size - 1
  return others === 0 ? escapeLine(latest.service) : `${escapeLine(latest.service)} and ${others} more`
}
