import { join } from 'node:path'
import type { Clock } from '../base/clock'
import type { IncidentDirectory } from '../incident/directory'
import type { IncidentHeader, IncidentSummary } from '../incident/header'
import type { ControlBlock } from '../ring/control'
import type { RingHandle } from '../ring/layout'
import { LiveReader } from '../ring/live'
import { directorySource } from './directory-source'
import { createPublisher, type Publisher, type PublisherLimits } from './publisher'
import type { EventSource } from './source'

export interface PublishOptions {
  /** Default 127.0.0.1. Beyond loopback TLS has to be on. */
  readonly host?: string
  /** Default 0: any free one. */
  readonly port?: number
  /** Default: off on loopback. The certificate is made by itself, and named by the logport. */
  readonly tls?: boolean
  /** Host that the logports name, where clients know this machine by another one. */
  readonly publicHost?: string
  /** Where secrets, certificate and logport files are kept; default `.flog` in the incident directory. */
  readonly keys?: string
  readonly limits?: PublisherLimits
}

/** What of a process is published; in the thread of the recorder or in another one. */
export interface PublishedProcess {
  readonly origin: Pick<IncidentHeader, 'service' | 'version' | 'host' | 'pid' | 'incarnation' | 'versions'>
  /** Microseconds since the epoch. */
  readonly startedAt: number
  readonly directory: IncidentDirectory
  /** Asked for each subscriber: threads with rings of their own may join. */
  readonly rings: () => readonly RingHandle[]
  readonly control: ControlBlock
  readonly clock: Clock
  /** @returns id of the incident; undefined where limits held it back */
  readonly capture: (reason: string) => Promise<string | undefined>
}

/** @throws FlogError FLOG_OPTION_INVALID, FLOG_KEYS_UNUSABLE, FLOG_REMOTE_UNREACHABLE */
export async function publishProcess(
  options: PublishOptions,
  published: PublishedProcess,
): Promise<Publisher> {
  const { origin, startedAt, directory, clock } = published
  const { service, version, host, pid, incarnation, versions } = origin
  directory.ensureSync()
  return createPublisher({
    ...options,
    keys: options.keys ?? join(directory.path, '.flog'),
    incidents: directorySource(directory, clock),
    events: ringSource(published),
    capture: async (reason): Promise<IncidentSummary | undefined> => {
      const id = await published.capture(reason)
      return id === undefined ? undefined : directory.find(id)
    },
    about: () => ({ service, version, host, pid, incarnation, versions, startedAt }),
    clock,
  })
}

function ringSource({ rings, control }: PublishedProcess): EventSource {
  return { subscribe: (start) => new LiveReader(rings(), control, start) }
}
