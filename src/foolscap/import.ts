import { join } from 'node:path'
import type { Clock } from '../base/clock'
import { FlogError } from '../base/errors'
import type { Verdict } from '../incident/damage'
import type { IncidentHeader, IncidentTrailer } from '../incident/header'
import { plainFileName } from '../incident/name'
import type { IncidentPart } from '../incident/parser'
import { resumed } from '../incident/peek'
import { headerMissing } from '../incident/reader'
import { rewriteIncident } from '../incident/rewrite'
import { fitted } from './fitted'

export interface ImportOptions {
  readonly clock: Clock
  /** Of flog, for the mark in the header. */
  readonly version: string
}

export interface ImportedIncident {
  readonly path: string
  readonly header: IncidentHeader
  /** Events that are in the file. */
  readonly events: number
  /** What the flogfile was worth. */
  readonly source: Verdict
}

/**
 * Makes a finished incident file, named as recorders name theirs, of the parts of a flogfile. It has a trailer also where the
 * process died before its flogfile was complete: nobody else would finish it.
 * @param parts as `readFoolscap` gives them
 * @throws FlogError FLOG_WRITE_FAILED, also where it is there already; FLOG_FILE_CORRUPT or FLOG_FILE_TRUNCATED where not even
 * one event can be read; whatever `parts` throws
 */
export async function importIncident(
  parts: AsyncIterable<IncidentPart>,
  directory: string,
  { clock, version }: ImportOptions,
): Promise<ImportedIncident> {
  const { header, all } = await withHeader(parts)
  const path = join(directory, `${plainFileName(header.openedAt, header.id)}.gz`)
  const mark = { by: 'import', at: clock.now(), flog: version } as const
  const { copied, source } = await rewriteIncident(completed(all, header), path, { mark })
  return { path, header, events: copied, source }
}

async function withHeader(parts: AsyncIterable<IncidentPart>): Promise<{
  readonly header: IncidentHeader
  readonly all: AsyncIterable<IncidentPart>
}> {
  const rest = parts[Symbol.asyncIterator]()
  const before: IncidentPart[] = []
  for (;;) {
    const next = await rest.next()
    if (next.done === true)
      throw new FlogError('FLOG_FILE_CORRUPT', 'reading the file ended without a verdict')
    const part = next.value
    before.push(part)
    if (part.kind === 'header') return { header: part.header, all: resumed(before, rest) }
    if (part.kind !== 'damage') throw headerMissing(part)
  }
}

/** The parts with events that fit, and with a trailer. */
async function* completed(
  parts: AsyncIterable<IncidentPart>,
  opening: IncidentHeader,
): AsyncGenerator<IncidentPart, void> {
  let hasTrailer = false
  let last = opening.trigger.event.time
  for await (const part of parts) {
    if (part.kind === 'header') {
      const event = fitted(part.header.trigger.event)
      yield { kind: 'header', header: { ...part.header, trigger: { ...part.header.trigger, event } } }
      continue
    }
    if (part.kind === 'events') {
      for (const { event } of part.events) last = Math.max(last, event.time)
      yield { kind: 'events', events: part.events.map((one) => ({ ...one, event: fitted(one.event) })) }
      continue
    }
    if (part.kind === 'trailer') hasTrailer = true
    if (part.kind === 'verdict' && !hasTrailer)
      yield { kind: 'trailer', trailer: trailerOf(last, part.verdict) }
    yield part
  }
}

/** The counts are filled in by whoever writes the file. */
function trailerOf(closedAt: number, { events }: Verdict): IncidentTrailer {
  return {
    closedAt,
    reason: 'adopted',
    events: { total: events, history: events, after: 0 },
    furtherTriggers: [],
    furtherTriggersOmitted: 0,
    lost: 0,
  }
}
