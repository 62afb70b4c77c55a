/** The flight recorder as a transport for winston. */
export type { FacilityOption } from './transports/winston/info'
export type { IncidentTransportOptions } from './transports/winston/options'
export { IncidentTransport } from './transports/winston/transport'
