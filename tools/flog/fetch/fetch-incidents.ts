import type { IncidentSummary } from '../../../src/incident/header'
import { parseIncidentId } from '../../../src/incident/name'
import type { Remote } from '../../../src/remote/client'
import { LOGPORT_FILE, looksLikeLogport } from '../../../src/remote/logport'
import { eachFile } from '../each-file'
import { UsageError } from '../failure'
import { listAll } from '../incidents/remote-source'
import { connectRemote, publisherText } from '../remote'
import { count } from '../show/words'
import { logportOf } from '../target'
import type { ExitCode, Surroundings } from '../verb'
import type { FetchOptions } from '../verbs/fetch'
import { Progress } from './progress'

/** @throws UsageError where it is not said which incidents */
export async function fetchIncidents(
  args: readonly string[],
  options: FetchOptions,
  io: Surroundings,
): Promise<ExitCode> {
  const fromEnvironment = args[0] === undefined || parseIncidentId(args[0]) !== undefined
  const [given, ids] = fromEnvironment ? [undefined, args] : [args[0], args.slice(1)]
  const wrong = ids.find((id) => parseIncidentId(id) === undefined)
  if (wrong !== undefined) {
    // A logport in the wrong place is a secret still
    if (looksLikeLogport(wrong)) throw new UsageError('the logport comes first, then the ids')
    throw new UsageError(`${wrong}: not an incident's id`, 'see what there is: flog incidents LOGPORT')
  }
  if (ids.length === 0 && options.all !== true && options.latest !== true) {
    throw new UsageError(
      'which incidents',
      'name their ids (flog incidents LOGPORT lists them), or --all, or --latest',
    )
  }
  const remote = await connectRemote(await logportOf(given, LOGPORT_FILE, io), io)
  try {
    const wanted = ids.length > 0 ? ids : await select(remote, options, io)
    return await fetchAll(remote, wanted, options, io)
  } finally {
    await remote.close()
  }
}

async function select(remote: Remote, { all }: FetchOptions, io: Surroundings): Promise<readonly string[]> {
  const { signal } = io
  const { incidents } = await listAll(remote, signal)
  if (incidents.length === 0) io.talk(`flog: no incidents at ${publisherText(remote)}`)
  if (all === true) return finishedOnes(incidents, remote, io)
  const newest = incidents.reduce<(typeof incidents)[number] | undefined>(
    (best, one) => (best === undefined || one.openedAt > best.openedAt ? one : best),
    undefined,
  )
  return newest === undefined ? [] : [newest.id]
}

/** Says of those that are open how to get them: they are easily missed, and may be what somebody is after. */
function finishedOnes(
  incidents: readonly IncidentSummary[],
  remote: Remote,
  { talk }: Surroundings,
): readonly string[] {
  const open = incidents.filter(({ state }) => state === 'open')
  if (open.length > 0) {
    talk(`flog: ${count(open.length, 'incident')} at ${publisherText(remote)} still open, not fetched`)
    talk(`  for a snapshot of one: flog fetch LOGPORT ${open.at(-1)?.id}`)
  }
  return incidents.filter(({ state }) => state === 'finished').map(({ id }) => id)
}

async function fetchAll(
  remote: Remote,
  ids: readonly string[],
  { to, json }: FetchOptions,
  io: Surroundings,
): Promise<ExitCode> {
  const { out, signal } = io
  return eachFile(ids, io, async (id, index) => {
    const progress = new Progress(`${index + 1}/${ids.length} ${id}`, io)
    try {
      const onProgress = progress.show.bind(progress)
      const fetched = await remote.fetchIncident(id, { to, signal, onProgress })
      progress.clear()
      out.line(json === true ? JSON.stringify(fetched) : fetched.path)
      await out.flush()
      if (fetched.representation === 'open')
        io.talk(`flog: incident ${id} is still open: this is what there is of it now`)
      return true
    } finally {
      progress.clear()
    }
  })
}
