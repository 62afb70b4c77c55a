import { isoMicros } from '../../../src/base/clock'
import { severityName } from '../../../src/event/severity'
import type { IncidentHeader } from '../../../src/incident/header'
import { groupIncidents, type IncidentGroup } from '../../../src/query/groups'
import { ruleSkeleton } from '../../../src/query/rules/skeleton'
import { triggerText } from '../show/incident-text'
import { count } from '../show/words'
import { escapeLine } from '../terminal'
import type { Surroundings } from '../verb'

/** What nobody knew, by kind, as a file of rules in which only the names are missing. */
export function unknownText(headers: readonly IncidentHeader[], { style }: Surroundings): readonly string[] {
  const groups = groupIncidents(headers)
  if (groups.length === 0) return []
  const kinds = groups.length === 1 ? 'one kind' : `${groups.length} kinds`
  const title = `# ${count(headers.length, 'incident')} of ${kinds} that no rule knows: give them names, put them into a file of rules`
  return [style.dim(title), 'rules:', ...groups.flatMap((group) => groupText(group, style))]
}

/** Everything to know of a kind that is not in the rule itself. */
function groupText(group: IncidentGroup<IncidentHeader>, style: Surroundings['style']): readonly string[] {
  const { latest, fingerprint } = group
  const { event } = latest.trigger
  return [
    '',
    ...[
      `${count(group.count, 'incident')}, ${timesText(group)}, of ${escapeLine(latest.service)}; fingerprint ${escapeLine(fingerprint)}`,
      triggerText(latest.trigger, style),
      ...(event.error === undefined
        ? []
        : [`${escapeLine(event.error.name)}: ${escapeLine(event.error.message)}`]),
    ].map((line) => `  ${style.dim('#')} ${line}`),
    ...skeletonOf(group).map((line) => `  ${line}`),
  ]
}

function skeletonOf({ incidents, fingerprint }: IncidentGroup<IncidentHeader>): readonly string[] {
  return ruleSkeleton(
    incidents.map(({ trigger }) => trigger.event),
    fingerprint,
  )
}

function timesText({ firstSeen, lastSeen }: IncidentGroup<IncidentHeader>): string {
  const first = isoMicros(firstSeen)
  return firstSeen === lastSeen ? first : `${first} to ${isoMicros(lastSeen)}`
}

/** The same as data, one object a kind. */
export function unknownJson(headers: readonly IncidentHeader[]): readonly object[] {
  return groupIncidents(headers).map((group) => {
    const { event } = group.latest.trigger
    return {
      unknown: {
        fingerprint: group.fingerprint,
        count: group.count,
        firstSeen: isoMicros(group.firstSeen),
        lastSeen: isoMicros(group.lastSeen),
        severity: severityName(group.severity),
        template: event.message,
        facility: event.facility,
        error: event.error?.name ?? null,
        incidents: group.incidents.map(({ id }) => id),
        rule: `${skeletonOf(group).join('\n')}\n`,
      },
    }
  })
}
