import { facilityMatches } from '../../event/facility'
import { parseSeverity, type SeverityName } from '../../event/severity'
import { eventText, type IncidentQualifier } from '../qualifier'
import { parseFacility } from './options'

/**
 * Qualifies every event of a severity or above. `severityAtLeast('error')` is what a recorder uses unless
 * told otherwise.
 * @throws FlogError FLOG_OPTION_INVALID
 */
export function severityAtLeast(severity: SeverityName | number): IncidentQualifier {
  const minimumSeverity = parseSeverity('severityAtLeast', severity)
  return {
    minimumSeverity,
    stateless: true,
    qualifies: (event) => event.severity >= minimumSeverity && { reason: eventText(event) },
  }
}

/**
 * Qualifies events of exactly one facility, of a severity (default error) or above.
 * @throws FlogError FLOG_OPTION_INVALID
 */
export function facilityIs(facility: string, severity: SeverityName | number = 'error'): IncidentQualifier {
  const name = parseFacility('facilityIs', facility)
  const minimumSeverity = parseSeverity('facilityIs', severity)
  return {
    minimumSeverity,
    stateless: true,
    qualifies: (event) =>
      event.severity >= minimumSeverity && event.facility === name && { reason: eventText(event) },
  }
}

/**
 * Qualifies events of a facility and all that lies under it (`db`, `db.pool`), of a severity (default error)
 * or above.
 * @throws FlogError FLOG_OPTION_INVALID
 */
export function facilityUnder(prefix: string, severity: SeverityName | number = 'error'): IncidentQualifier {
  const name = parseFacility('facilityUnder', prefix)
  const minimumSeverity = parseSeverity('facilityUnder', severity)
  return {
    minimumSeverity,
    stateless: true,
    qualifies: (event) => {
      return (
        event.severity >= minimumSeverity &&
        facilityMatches(name, event.facility) && { reason: eventText(event) }
      )
    },
  }
}
