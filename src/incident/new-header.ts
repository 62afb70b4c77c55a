import { FORMAT_MAJOR, FORMAT_MINOR, type HeaderOrigin, type HeaderOwn, type IncidentHeader } from './header'
import { incidentId } from './name'

/** The header of an incident that this version of the format writes. */
export function newHeader(origin: HeaderOrigin, own: HeaderOwn): IncidentHeader {
  const { number, openedAt, trigger, ...rest } = own
  return {
    type: 'incident',
    format: `${FORMAT_MAJOR}.${FORMAT_MINOR}`,
    id: incidentId(origin.incarnation, number),
    ...{ number, openedAt, trigger },
    ...origin,
    ...rest,
  }
}
