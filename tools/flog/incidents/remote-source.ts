import { FlogError } from '../../../src/base/errors'
import { REMOTE_LISTED_INCIDENTS } from '../../../src/base/limits'
import type { IncidentSummary } from '../../../src/incident/header'
import type { Remote } from '../../../src/remote/client'
import type { Logport } from '../../../src/remote/logport'
import { Problem } from '../failure'
import { connectRemote, publisherText } from '../remote'
import type { Surroundings } from '../verb'
import type { Listing, Notice, Source } from './source'

/** The incidents of a publisher. What is watched continues exactly where the list ended. */
export async function remoteSource(logport: Logport, io: Surroundings): Promise<Source> {
  const remote = await connectRemote(logport, io)
  let cursor: string | undefined
  return {
    name: publisherText(remote),
    async list(): Promise<Listing> {
      const listed = await listAll(remote, io.signal)
      cursor = listed.cursor
      return { incidents: listed.incidents, unreadable: [] }
    },
    watch: (signal) => notices(remote, cursor, signal),
    close: () => remote.close(),
  }
}

/** All pages, and the open incidents last. */
export async function listAll(
  remote: Remote,
  signal: AbortSignal,
): Promise<{ readonly incidents: readonly IncidentSummary[]; readonly cursor: string }> {
  const incidents: IncidentSummary[] = []
  const listed = new Set<string>()
  let page = await remote.listIncidents({ signal })
  for (;;) {
    for (const { id } of page.incidents) {
      if (listed.has(id) || listed.size >= REMOTE_LISTED_INCIDENTS) throw endless()
      listed.add(id)
    }
    incidents.push(...page.incidents, ...page.open)
    if (!page.more) return { incidents, cursor: page.cursor }
    page = await remote.listIncidents({ since: page.cursor, signal })
  }
}

function endless(): Problem {
  return new Problem('the publisher lists without an end: nothing that it says can be relied on')
}

async function* notices(
  remote: Remote,
  since: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<Notice, void> {
  try {
    for await (const news of remote.subscribeToIncidents({ ...(since !== undefined && { since }), signal })) {
      if (news.kind === 'caughtUp') continue
      yield { kind: news.kind === 'opened' ? 'opened' : 'closed', summary: news.incident }
    }
  } catch (error) {
    if (!FlogError.is(error, 'FLOG_ABORTED') || !signal.aborted) throw error
  }
}
