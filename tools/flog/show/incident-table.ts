import { formatBytes } from '../../../src/base/bytes'
import { severityName } from '../../../src/event/severity'
import { fillTemplate } from '../../../src/event/template'
import type { IncidentSummary } from '../../../src/incident/header'
import type { Style } from '../style'
import { clip, escapeLine } from '../terminal'
import { formatTime } from './time'
import { grouped } from './words'

/** Widths that hold what is usual; a longer value pushes its own line only. */
const WIDTHS = { when: 19, id: 18, state: 8, events: 7, size: 10, severity: 6, service: 12 } as const
const MIN_MESSAGE = 20

/** One line an incident, aligned without having to see all of them: lists may be followed. */
export class IncidentTable {
  readonly #style: Style
  readonly #columns: number

  /** @param columns characters in a line of the terminal; infinite for a file */
  constructor(style: Style, columns: number) {
    this.#style = style
    this.#columns = columns
  }

  get heading(): string {
    const { when, id, state, events, size, severity, service } = WIDTHS
    const names = [
      'WHEN'.padEnd(when),
      'ID'.padEnd(id),
      'STATE'.padEnd(state),
      'EVENTS'.padStart(events),
      'SIZE'.padStart(size),
      'SERVICE'.padEnd(service),
      'LEVEL'.padEnd(severity),
      'TRIGGER',
    ]
    return this.#style.dim(names.join('  '))
  }

  line(summary: IncidentSummary): string {
    const { event } = summary.trigger
    const left = [
      formatTime('local', summary.openedAt, 0).slice(0, WIDTHS.when),
      escapeLine(summary.id).padEnd(WIDTHS.id),
      this.#state(summary),
      (summary.events === undefined ? '' : grouped(summary.events.total)).padStart(WIDTHS.events),
      formatBytes(summary.bytes).padStart(WIDTHS.size),
      escapeLine(ownerText(summary)).padEnd(WIDTHS.service),
    ].join('  ')
    const severity = severityName(event.severity).padEnd(WIDTHS.severity)
    const facility = event.facility === '' ? '' : `${event.facility}: `
    const room = Math.max(MIN_MESSAGE, this.#columns - this.#visible(left) - severity.length - 4)
    const message = clip(`${facility}${fillTemplate(event.message, event.fields)}`, room)
    return `${left}  ${this.#style.severity(event.severity, severity)}  ${message}`
  }

  /** A file without a trailer that nobody writes any more looks open; `flog recover` knows better. */
  #state({ state, closedAt }: IncidentSummary): string {
    if (state === 'finished') return 'finished'
    return closedAt === undefined
      ? this.#style.bold('open'.padEnd(WIDTHS.state))
      : 'closed'.padEnd(WIDTHS.state)
  }

  #visible(text: string): number {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of our own
    return text.replace(/\u001b\[[\d;]*m/g, '').length
  }
}

/** `shop`, or `shop (cluster worker 2)`. */
function ownerText({ service, label }: IncidentSummary): string {
  return label === undefined ? service : `${service} (${label})`
}
