import { isoMicros } from '../../../src/base/clock'
import { severityName } from '../../../src/event/severity'
import { messageText } from '../../../src/event/template'
import type { IncidentSummary } from '../../../src/incident/header'
import { groupIncidents, type IncidentGroup } from '../../../src/query/groups'
import { splitRules } from '../classify/load'
import { eachFile } from '../each-file'
import { UsageError } from '../failure'
import { eventJson } from '../show/event-json'
import { GroupTable } from '../show/group-table'
import { escapeLine } from '../terminal'
import type { ExitCode, Surroundings } from '../verb'
import type { ListOptions } from './list'
import { openSource } from './source'

export interface GroupOptions extends ListOptions {
  /** Files of rules, and modules; the directory too, where it stood behind them. */
  readonly rules: readonly string[]
}

/** Categories of each incident, by its id; `exitCode` of reading the files. */
interface Categorised {
  readonly byId: ReadonlyMap<string, readonly string[]>
  readonly exitCode: ExitCode
}

/** Prints a line for each kind of incident of a directory or a publisher. */
export async function groupList(given: string | undefined, options: GroupOptions): Promise<ExitCode> {
  const { io, since, json } = options
  if (options.follow)
    throw new UsageError('--group counts what is there, it does not go on: leave out --follow')
  const { rules, others } = splitRules(options.rules)
  const source = await openSource(given ?? others[0], io)
  try {
    const { incidents, unreadable } = await source.list()
    const chosen = incidents.filter(({ openedAt }) => openedAt >= since)
    const categorised = rules.length === 0 ? undefined : await categories(source.directory, rules, chosen, io)
    const groups = groupIncidents(chosen)
    const table = new GroupTable(io.style, io.out.columns, categorised !== undefined)
    if (!json && groups.length > 0) io.out.line(table.heading)
    for (const group of groups) {
      const named = categorised && categoriesOf(group, categorised.byId)
      io.out.line(json ? JSON.stringify(groupJson(group, named)) : table.line(group, named))
    }
    for (const problem of unreadable) io.talk(`flog: ${escapeLine(problem)}`)
    if (groups.length === 0)
      io.talk(`flog: no incidents ${since > 0 ? 'that new ' : ''}in ${escapeLine(source.name)}`)
    await io.out.flush()
    return unreadable.length === 0 ? (categorised?.exitCode ?? 0) : 1
  } finally {
    await source.close()
  }
}

/** Rules look at events, so the files are read. */
async function categories(
  directory: string | undefined,
  rules: readonly string[],
  chosen: readonly IncidentSummary[],
  io: Surroundings,
): Promise<Categorised> {
  if (directory === undefined)
    throw new UsageError('--rules needs the files', 'bring them here first: flog fetch --all')
  const { classifying } = require('../classify/classifying') as typeof import('../classify/classifying')
  const { locateIncidents } =
    require('../../../src/incident/listing') as typeof import('../../../src/incident/listing')
  const classifiers = await classifying(rules, io)
  const wanted = new Set(chosen.map(({ id }) => id))
  const paths = new Map<string, string>()
  for (const { path, summary } of (await locateIncidents(directory)).located)
    if (wanted.has(summary.id) && !paths.has(summary.id)) paths.set(summary.id, path)
  const byId = new Map<string, readonly string[]>()
  const ids = new Map([...paths].map(([id, path]) => [path, id]))
  const exitCode = await eachFile([...ids.keys()], io, async (path) => {
    const { categories } = await classifiers.classify(path)
    byId.set(ids.get(path) ?? '', categories)
    return true
  })
  return { byId, exitCode: classifiers.isBroken ? 1 : exitCode }
}

/** Of any of its incidents: they are the same trouble. */
function categoriesOf(
  { incidents }: IncidentGroup<IncidentSummary>,
  byId: Categorised['byId'],
): readonly string[] {
  return [...new Set(incidents.flatMap(({ id }) => byId.get(id) ?? []))].sort()
}

function groupJson(group: IncidentGroup<IncidentSummary>, categories: readonly string[] | undefined): object {
  const { kind, reason, event } = group.latest.trigger
  return {
    fingerprint: group.fingerprint,
    count: group.count,
    firstSeen: isoMicros(group.firstSeen),
    lastSeen: isoMicros(group.lastSeen),
    severity: severityName(group.severity),
    services: [...new Set(group.incidents.map(({ service }) => service))].sort(),
    trigger: { kind, reason, message: messageText(event), event: eventJson(event) },
    incidents: group.incidents.map(({ id }) => id),
    ...(categories !== undefined && { categories }),
  }
}
