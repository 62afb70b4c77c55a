import type { IncidentSummary } from '../../../src/incident/header'
import { summaryJson } from '../show/event-json'
import { IncidentTable } from '../show/incident-table'
import { escapeLine } from '../terminal'
import type { ExitCode, Surroundings } from '../verb'
import { openSource } from './source'

export interface ListOptions {
  readonly json: boolean
  readonly follow: boolean
  /** Microseconds since the epoch. */
  readonly since: number
  readonly io: Surroundings
}

/** Prints the incidents of a directory or a publisher. */
export async function listIncidents(given: string | undefined, options: ListOptions): Promise<ExitCode> {
  const { io, since } = options
  const source = await openSource(given, io)
  try {
    const printer = new Printer(options)
    const { incidents, unreadable } = await source.list()
    for (const summary of incidents) if (summary.openedAt >= since) await printer.print(summary)
    for (const problem of unreadable) io.talk(`flog: ${escapeLine(problem)}`)
    if (options.follow) await follow(source.watch(io.signal), printer, incidents)
    else if (!printer.printed)
      io.talk(`flog: no incidents ${since > 0 ? 'that new ' : ''}in ${escapeLine(source.name)}`)
    return unreadable.length === 0 ? 0 : 1
  } finally {
    await source.close()
  }
}

/** What the list showed already is not told again. */
async function follow(
  notices: AsyncIterable<{ readonly kind: 'opened' | 'closed'; readonly summary: IncidentSummary }>,
  printer: Printer,
  shown: readonly IncidentSummary[],
): Promise<void> {
  const known = new Set(shown.map((summary) => `${summary.id} ${isClosed(summary) ? 'closed' : 'opened'}`))
  for await (const { kind, summary } of notices) {
    if (!known.has(`${summary.id} ${kind}`)) await printer.print(summary)
  }
}

function isClosed({ closedAt, state }: IncidentSummary): boolean {
  return closedAt !== undefined || state === 'finished'
}

class Printer {
  readonly #options: ListOptions
  readonly #table: IncidentTable
  printed = false

  constructor(options: ListOptions) {
    this.#options = options
    this.#table = new IncidentTable(options.io.style, options.io.out.columns)
  }

  async print(summary: IncidentSummary): Promise<void> {
    const { json, io } = this.#options
    if (json) io.out.line(JSON.stringify(summaryJson(summary)))
    else {
      if (!this.printed) io.out.line(this.#table.heading)
      io.out.line(this.#table.line(summary))
    }
    this.printed = true
    await io.out.flush()
  }
}
