/** flog, a flight recorder for logs. */
export type { ByteSize } from './base/bytes'
export { ERROR_CODES, FlogError, type FlogErrorCode } from './base/errors'
export { DEFAULT_REDACTED_NAMES } from './base/secret-names'
export { VERSION } from './base/version'
export { type Context, currentContext, runWithContext } from './event/context'
export type { ErrorRecord, LogEvent, Plain, PlainObject, TriggerKind } from './event/event'
export type { Redaction, RedactionOptions } from './event/redact'
export { type SeverityName, severityName, severityOf } from './event/severity'
export { fillTemplate, messageText } from './event/template'
export type { Damage, Verdict } from './incident/damage'
export type {
  IncidentHeader,
  IncidentSummary,
  IncidentTrailer,
  PostTriggerOptions,
  SuppressedCounts,
  TriggerRecord,
} from './incident/header'
export type { LimitOptions } from './incident/limits'
export type { IncidentPart } from './incident/parser'
export type { RecordedEvent } from './incident/parts'
export { IncidentQualifier, type Qualification, type QualifierOption } from './incident/qualifier'
export { all, any, not } from './incident/qualifiers/combine'
export { firstOccurrence } from './incident/qualifiers/first'
export { latency } from './incident/qualifiers/latency'
export { rareValue } from './incident/qualifiers/rare'
export { rateAbove } from './incident/qualifiers/rate'
export { facilityIs, facilityUnder, severityAtLeast } from './incident/qualifiers/severity'
export { type ReadOptions, readIncidentFile } from './incident/reader'
export { IncidentReporter, type ReporterOptions } from './incident/reporter'
export { readSummary } from './incident/summary'
export { verifyIncidentFile } from './incident/verify'
export type { Incident, IncidentPhase } from './recorder/incident'
export type { ChildOptions, EventInput, Fields, Logger } from './recorder/logger'
export type { RecorderOptions } from './recorder/options'
export type { EndingSignal, ProcessEventOptions, ProcessEventUse } from './recorder/process-options'
export { createRecorder, type Recorder, type RecorderStats } from './recorder/recorder'
export type { SidecarOptions } from './recorder/sidecar-options'
export type { PublishOptions } from './remote/publish-process'
export type { Publisher, PublisherLimits, PublisherStats } from './remote/publisher'
export type { RingState } from './ring/layout'
export type { RingSizes } from './ring/set'
