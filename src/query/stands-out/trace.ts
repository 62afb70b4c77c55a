import type { LogEvent } from '../../event/event'
import { WARN } from '../../event/severity'
import { allOf, quoted } from './expression'
import { fieldRole, type Scalar, visitFields } from './fields'
import type { Clue } from './finding'
import { type History, timeOf } from './history'
import { facilityText, messageQuoted, spanText } from './wording'

/** It is certain, but a trace is one of many. */
const SCORE = 62
const SCORE_OF_WARNING = 45

/** The first error, or else warning, of the activity in which the trigger was logged. */
export function traceClues(history: History): readonly Clue[] {
  const { trigger } = history
  if (trigger === undefined || history.isAsked) return []
  const members = membersOf(history, trigger)
  const isOther = (place: number) => history.events[place]?.seq !== trigger.seq
  const failed = members.find((place) => isOther(place) && history.failing[place] === 1)
  const first = failed ?? members.find((place) => isOther(place) && severityAt(history, place) >= WARN)
  if (first === undefined) return []
  const event = history.events[first] as LogEvent
  const lead = history.triggerTime - timeOf(history, first)
  const what = failed === undefined ? 'warning' : 'error'
  const clause = `first ${what} of the trigger's trace, ${spanText(lead)} before it`
  const error = event.error === undefined ? '' : `: ${event.error.name}`
  return [
    {
      kind: 'trace',
      subject: 'trace of the trigger',
      text: `${facilityText(event.facility)}: ${messageQuoted(event.message)}${error} was the ${clause}`,
      clause,
      evidence: [first],
      filter: filterOf(trigger),
      score: failed === undefined ? SCORE_OF_WARNING : SCORE,
      since: event.time,
    },
  ]
}

function requestOf(event: LogEvent): { readonly path: string; readonly value: Scalar } | undefined {
  let found: { readonly path: string; readonly value: Scalar } | undefined
  visitFields(event, (path, value) => {
    if (fieldRole(path).kind === 'request') found ??= { path, value }
  })
  return found
}

/** By trace; where there is none, the events that the trigger came of. */
function membersOf(history: History, trigger: LogEvent): readonly number[] {
  const own = history.events.findLastIndex(({ seq }) => seq === trigger.seq)
  const activity = history.activities[own] ?? -1
  if (activity >= 0) {
    const members: number[] = []
    history.activities.forEach((each, place) => {
      if (each === activity) members.push(place)
    })
    return members
  }
  const causes = new Set<number>()
  let parent = trigger.parent
  for (let place = history.events.length - 1; place >= 0 && parent !== undefined; place--) {
    const event = history.events[place] as LogEvent
    if (event.seq !== parent) continue
    causes.add(place)
    parent = event.parent
  }
  return [...causes].reverse()
}

function filterOf(trigger: LogEvent): string {
  if (trigger.traceId !== undefined) return allOf(`trace:${quoted(trigger.traceId)}`, 'severity>=warn')
  const request = requestOf(trigger)
  return request === undefined ? '' : allOf(`request:${quoted(String(request.value))}`, 'severity>=warn')
}

function severityAt(history: History, place: number): number {
  return history.events[place]?.severity ?? 0
}
