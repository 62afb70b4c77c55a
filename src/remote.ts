export { FlogError } from './base/errors'
export type { ErrorRecord, LogEvent, Plain, PlainObject } from './event/event'
export type { IncidentSummary } from './incident/header'
export {
  type ConnectOptions,
  connect,
  type FetchOptions,
  type ListOptions,
  Remote,
  type SubscribeOptions,
  type TailOptions,
} from './remote/client'
export type { ConnectionState } from './remote/connection'
export type { FetchedIncident, FetchProgress } from './remote/fetch'
export type { IncidentNews } from './remote/incidents'
export { addressOf, type Logport, parseLogport, resolveLogport } from './remote/logport'
export type { AboutResult, IncidentPage } from './remote/protocol'
export { isTailNotice, type TailItem, type TailNotice } from './remote/tail'
