import { basename, dirname, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { FlogError } from '../base/errors'
import { messageText } from '../event/template'
import type { IncidentSummary } from '../incident/header'
import { type LocatedIncident, locateIncidents } from '../incident/listing'
import { openIncidentFile } from '../incident/reader'
import type { IncidentEntry, SourceAnswer, ViewerSource } from './source'

/** What the page calls the file it was opened for, where that is not one of its directory's incidents. */
const THIS_FILE = 'file'

/** The incidents of a directory, to choose from. */
export function directorySource(path: string): ViewerSource {
  return {
    async describe() {
      const { located, unreadable } = await locateIncidents(path)
      return {
        kind: 'directory',
        name: path,
        incidents: entriesOf(located),
        unreadable: unreadable.map((file) => `${basename(file.path)}: ${file.error.message}`),
      }
    },
    open: (id) => openById(path, id),
  }
}

/** One file, and what its directory holds of the same kind. */
export function fileSource(path: string): ViewerSource {
  const directory = dirname(resolve(path))
  return {
    async describe(): Promise<SourceAnswer> {
      const { located } = await locateIncidents(directory).catch(() => ({ located: [] }))
      const own = located.find((one) => resolve(one.path) === resolve(path))
      const opens = own?.summary.id ?? THIS_FILE
      return {
        kind: 'file',
        name: basename(path),
        opens,
        incidents: own === undefined ? [] : entriesOf(located),
        unreadable: [],
      }
    },
    open: (id) => (id === THIS_FILE ? bytesOf(path) : openById(directory, id)),
  }
}

/** Ids are looked up, never made part of a path. */
async function openById(directory: string, id: string): Promise<AsyncIterable<Uint8Array>> {
  const { located } = await locateIncidents(directory)
  const found = located.find(({ summary }) => summary.id === id)
  if (found === undefined)
    throw new FlogError('FLOG_INCIDENT_UNKNOWN', 'there is no such incident here any more')
  return bytesOf(found.path)
}

async function bytesOf(path: string): Promise<AsyncIterable<Uint8Array>> {
  const file = await openIncidentFile(path)
  return Readable.from(file.createReadStream())
}

function entriesOf(located: readonly LocatedIncident[]): readonly IncidentEntry[] {
  const entries = new Map<string, IncidentEntry>()
  for (const { summary } of located) if (!entries.has(summary.id)) entries.set(summary.id, entryOf(summary))
  return [...entries.values()]
}

/** What a list of incidents shows of one. */
export function entryOf(summary: IncidentSummary): IncidentEntry {
  const { id, state, openedAt, service, host, trigger, events, bytes } = summary
  return {
    ...{ id, state, openedAt, service, host, bytes },
    severity: trigger.event.severity,
    facility: trigger.event.facility,
    message: messageText(trigger.event),
    fingerprint: trigger.fingerprint,
    ...(events !== undefined && { events: events.total }),
  }
}
