import { isoMicros } from '../../../src/base/clock'
import type { LogEvent, Plain } from '../../../src/event/event'
import { toJson } from '../../../src/event/json'
import { severityName } from '../../../src/event/severity'
import { fillTemplate } from '../../../src/event/template'
import type { Damage, Verdict } from '../../../src/incident/damage'
import type {
  IncidentHeader,
  IncidentSummary,
  IncidentTrailer,
  TriggerRecord,
} from '../../../src/incident/header'
import type { EventMark } from './event-text'

/**
 * The contract of `--json`. Keys are only ever added. Times are ISO 8601 with microseconds, severities short names,
 * messages filled in; `template` is the message as it was logged, where that differs.
 */
export function eventJson(event: LogEvent, mark?: EventMark): object {
  const message = fillTemplate(event.message, event.fields)
  const { error, traceId, spanId, parent, thread, cut } = event
  return {
    seq: event.seq,
    time: isoMicros(event.time),
    severity: severityName(event.severity),
    message,
    facility: event.facility,
    fields: toJson(event.fields),
    ...(message !== event.message && { template: event.message }),
    ...(error !== undefined && { error: toJson(error as unknown as Plain) }),
    ...defined({ traceId, spanId, parent, thread, cut }),
    ...(mark !== undefined && { trigger: mark === 'trigger' ? true : mark }),
  }
}

export function headerJson(header: IncidentHeader): object {
  return {
    header: {
      ...(toJson(header as unknown as Plain) as object),
      openedAt: isoMicros(header.openedAt),
      trigger: triggerJson(header.trigger),
      rings: header.rings.map((ring) => ({
        ...ring,
        oldest: ring.events === 0 ? null : isoMicros(ring.oldest),
      })),
    },
  }
}

export function trailerJson(trailer: IncidentTrailer): object {
  return {
    ...(toJson(trailer as unknown as Plain) as object),
    closedAt: isoMicros(trailer.closedAt),
    furtherTriggers: trailer.furtherTriggers.map((further) => ({
      ...further,
      time: isoMicros(further.time),
    })),
  }
}

export function verdictJson({ state, events, eventsLost, damage, damageOmitted }: Verdict): object {
  return { state, events, eventsLost: eventsLost ?? null, damage: damage.map(damageJson), damageOmitted }
}

export function summaryJson(summary: IncidentSummary): object {
  return {
    ...summary,
    openedAt: isoMicros(summary.openedAt),
    ...(summary.closedAt !== undefined && { closedAt: isoMicros(summary.closedAt) }),
    trigger: triggerJson(summary.trigger),
  }
}

function triggerJson({ kind, reason, fingerprint, event }: TriggerRecord): object {
  return { kind, reason, fingerprint, event: eventJson(event) }
}

function damageJson({ what, layer, offset, bytes, message, eventsLost }: Damage): object {
  return { what, layer, offset, bytes, message, eventsLost: eventsLost ?? null }
}

function defined(members: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}
