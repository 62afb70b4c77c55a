import { invalidOption } from '../../base/errors'
import type { LogEvent } from '../../event/event'
import { TRACE } from '../../event/severity'
import { type IncidentQualifier, type Qualification, type QualifierOption, toQualifier } from '../qualifier'

/**
 * Qualifies what at least one of the qualifiers does; the reasons are joined. Each of them sees every event,
 * so that those that count do not miss any. Where one throws and another qualifies, the event qualifies.
 * @throws FlogError FLOG_OPTION_INVALID
 */
export function any(...qualifiers: readonly QualifierOption[]): IncidentQualifier {
  const parts = partsOf('any', qualifiers)
  return {
    minimumSeverity: Math.min(...parts.map(lowest)),
    stateless: parts.every(isStateless),
    qualifies: (event) => {
      const { said, failure } = ask(parts, event)
      const hits = said.filter((qualification) => qualification !== false)
      if (hits.length === 0 && failure !== undefined) throw failure.error
      return hits.length > 0 && joined(hits, '; ')
    },
  }
}

/**
 * Qualifies what all of the qualifiers do; the reasons are joined. Each of them sees every event, so that
 * those that count do not miss any.
 * @throws FlogError FLOG_OPTION_INVALID
 */
export function all(...qualifiers: readonly QualifierOption[]): IncidentQualifier {
  const parts = partsOf('all', qualifiers)
  return {
    // Nothing below the highest can qualify, but what counts has to see what it counts.
    minimumSeverity: Math.min(
      Math.max(...parts.map(lowest)),
      ...parts.filter((part) => !isStateless(part)).map(lowest),
    ),
    stateless: parts.every(isStateless),
    qualifies: (event) => {
      const { said, failure } = ask(parts, event)
      if (failure !== undefined) throw failure.error
      return said.every((qualification) => qualification !== false) && joined(said, ' and ')
    },
  }
}

/**
 * Qualifies what the qualifier does not, of any severity: use it inside {@link all}.
 * @throws FlogError FLOG_OPTION_INVALID
 */
export function not(qualifier: QualifierOption): IncidentQualifier {
  const part = toQualifier('not', qualifier)
  return {
    minimumSeverity: TRACE,
    stateless: isStateless(part),
    qualifies: (event) => answer(part, event) === false,
  }
}

function partsOf(name: string, qualifiers: readonly QualifierOption[]): readonly IncidentQualifier[] {
  if (qualifiers.length === 0) throw invalidOption(name, 'at least one qualifier', undefined)
  return qualifiers.map((qualifier, index) => toQualifier(`${name}[${index}]`, qualifier))
}

function lowest(part: IncidentQualifier): number {
  return part.minimumSeverity ?? TRACE
}

function isStateless(part: IncidentQualifier): boolean {
  return part.stateless === true
}

/** What a qualifier says; anything but `true` or a reason is `false`, as it is to the recorder. */
function answer(part: IncidentQualifier, event: LogEvent): Qualification {
  if (event.severity < lowest(part)) return false
  const said = part.qualifies(event)
  return typeof said === 'object' && said !== null ? said : said === true
}

interface Answers {
  readonly said: readonly Qualification[]
  /** The first that was thrown. */
  readonly failure: { readonly error: unknown } | undefined
}

function ask(parts: readonly IncidentQualifier[], event: LogEvent): Answers {
  let failure: { readonly error: unknown } | undefined
  const said = parts.map((part) => {
    try {
      return answer(part, event)
    } catch (error) {
      failure ??= { error }
      return false
    }
  })
  return { said, failure }
}

function joined(hits: readonly Qualification[], separator: string): Qualification {
  const reasons = hits.filter((hit) => typeof hit === 'object')
  if (reasons.length === 0) return true
  const fingerprint = reasons.find((hit) => hit.fingerprint !== undefined)?.fingerprint
  const reason = reasons.map((hit) => hit.reason).join(separator)
  return fingerprint === undefined ? { reason } : { reason, fingerprint }
}
