import { join } from 'node:path'
import type { Clock } from '../base/clock'
import type { IncidentDirectory } from '../incident/directory'
import { directorySource } from '../remote/directory-source'
import { createPublisher, type Publisher, type PublisherLimits } from '../remote/publisher'
import type { EventSource } from '../remote/source'
import type { ControlBlock } from '../ring/control'
import type { RingHandle } from '../ring/layout'
import { LiveReader } from '../ring/live'
import type { Incident } from './incident'
import type { Origin } from './origin'

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

/** What of a recorder is published. */
export interface Published {
  readonly origin: Origin
  /** Microseconds since the epoch. */
  readonly startedAt: number
  readonly directory: IncidentDirectory
  readonly rings: readonly RingHandle[]
  readonly control: ControlBlock
  readonly clock: Clock
  readonly capture: (reason: string) => Incident | undefined
}

/** @throws FlogError FLOG_OPTION_INVALID, FLOG_KEYS_UNUSABLE, FLOG_REMOTE_UNREACHABLE */
export async function publishRecorder(options: PublishOptions, published: Published): Promise<Publisher> {
  const { origin, startedAt, directory, clock } = published
  const { service, version, host, pid, incarnation, versions } = origin
  directory.ensureSync()
  return createPublisher({
    ...options,
    keys: options.keys ?? join(directory.path, '.flog'),
    incidents: directorySource(directory, clock),
    events: ringSource(published.rings, published.control),
    capture: async (reason) => {
      const incident = published.capture(reason)
      return incident === undefined ? undefined : directory.find(incident.id)
    },
    about: () => ({ service, version, host, pid, incarnation, versions, startedAt }),
    clock,
  })
}

function ringSource(rings: readonly RingHandle[], control: ControlBlock): EventSource {
  return { subscribe: (start) => new LiveReader(rings, control, start) }
}
