import type { Clock } from '../base/clock'
import type { IncidentDirectory } from '../incident/directory'
import type { IncidentNotice, IncidentSource } from './source'

/** An incident directory as a publisher serves it. */
export function directorySource(directory: IncidentDirectory, clock: Clock): IncidentSource {
  return {
    list: () => directory.list(),
    open: async (id, representation) => {
      const file = await directory.open(id, representation)
      const openedAt = (await directory.find(id))?.openedAt
      return { ...file, ...(openedAt !== undefined && { openedAt }) }
    },
    watch: (signal) => notices(directory, signal, clock),
  }
}

async function* notices(
  directory: IncidentDirectory,
  signal: AbortSignal,
  clock: Clock,
): AsyncGenerator<IncidentNotice, void, void> {
  const watch = directory.watch({ signal, clock })
  // Until it is ready the watch tells nothing of what happens
  await watch.ready
  yield { kind: 'changed' }
  yield* watch
}
