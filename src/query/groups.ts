import type { TriggerRecord } from '../incident/header'

/** What headers and summaries have in common. */
export interface Incident {
  /** Microseconds since the epoch. */
  readonly openedAt: number
  readonly trigger: TriggerRecord
}

/** Incidents of the same trouble. */
export interface IncidentGroup<T extends Incident> {
  readonly fingerprint: string
  /** Oldest first. */
  readonly incidents: readonly T[]
  readonly count: number
  /** When the first and the last of them began; microseconds since the epoch. */
  readonly firstSeen: number
  readonly lastSeen: number
  /** The highest of their triggers, 1–24. */
  readonly severity: number
  readonly latest: T
}

/** Groups by fingerprint: the most frequent first; of those that are as frequent the one that was seen last. */
export function groupIncidents<T extends Incident>(incidents: Iterable<T>): readonly IncidentGroup<T>[] {
  const groups = new Map<string, [T, ...T[]]>()
  for (const incident of incidents) {
    const { fingerprint } = incident.trigger
    const group = groups.get(fingerprint)
    if (group === undefined) groups.set(fingerprint, [incident])
    else group.push(incident)
  }
  return [...groups].map(([fingerprint, group]) => groupOf(fingerprint, group)).sort(byWeight)
}

function groupOf<T extends Incident>(fingerprint: string, group: [T, ...T[]]): IncidentGroup<T> {
  const incidents = group.sort((one, other) => one.openedAt - other.openedAt)
  const latest = incidents.at(-1) ?? incidents[0]
  return {
    fingerprint,
    incidents,
    count: incidents.length,
    firstSeen: incidents[0].openedAt,
    lastSeen: latest.openedAt,
    severity: incidents.reduce((highest, { trigger }) => Math.max(highest, trigger.event.severity), 1),
    latest,
  }
}

function byWeight(one: IncidentGroup<Incident>, other: IncidentGroup<Incident>): number {
  return (
    other.count - one.count || other.lastSeen - one.lastSeen || (one.fingerprint < other.fingerprint ? -1 : 1)
  )
}
