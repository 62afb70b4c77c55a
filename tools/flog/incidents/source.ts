import type { IncidentSummary } from '../../../src/incident/header'
import { Problem } from '../failure'
import { resolveTarget } from '../target'
import type { Surroundings } from '../verb'

/** Where incidents are listed from: a directory here, or a publisher. */
export interface Source {
  /** For messages; shows no secret. */
  readonly name: string
  /** Where the files are; absent where they are not on this machine. */
  readonly directory?: string
  list(): Promise<Listing>
  /** Incidents that open and close from the listing on; one that the listing had may come again. */
  watch(signal: AbortSignal): AsyncIterable<Notice>
  close(): Promise<void>
}

export interface Listing {
  readonly incidents: readonly IncidentSummary[]
  /** What is wrong with files that could not be listed. */
  readonly unreadable: readonly string[]
}

export interface Notice {
  readonly kind: 'opened' | 'closed'
  readonly summary: IncidentSummary
}

/** @throws UsageError, Problem, FlogError of the directory or the connection */
export async function openSource(given: string | undefined, io: Surroundings): Promise<Source> {
  const target = await resolveTarget(given, io)
  switch (target.kind) {
    case 'directory':
      return directorySource(target.path, io)
    case 'logport': {
      const { remoteSource } = require('./remote-source') as typeof import('./remote-source')
      return remoteSource(target.logport, io)
    }
    case 'file':
      throw new Problem(
        `${target.path}: it is a file, not a directory`,
        `to read an incident: flog dump ${target.path}`,
      )
  }
}

function directorySource(path: string, io: Surroundings): Source {
  const { IncidentDirectory } =
    require('../../../src/incident/directory') as typeof import('../../../src/incident/directory')
  const directory = new IncidentDirectory({ path })
  return {
    name: path,
    directory: path,
    async list() {
      const { incidents, unreadable } = await directory.scan()
      return { incidents, unreadable: unreadable.map((file) => `${file.path}: ${file.error.message}`) }
    },
    async *watch(signal) {
      const watch = directory.watch({ signal, existing: true, keepAlive: true, clock: io.clock })
      for await (const notice of watch) if (notice.kind !== 'removed') yield notice
    },
    close: async () => undefined,
  }
}
