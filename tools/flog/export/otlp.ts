import type { ErrorRecord, LogEvent, Plain } from '../../../src/event/event'
import { toJson } from '../../../src/event/json'
import { severityName } from '../../../src/event/severity'
import { meaningOf } from '../../../src/event/tagged'
import { messageText } from '../../../src/event/template'
import type { IncidentHeader } from '../../../src/incident/header'
import type { RecordedEvent } from '../../../src/incident/parts'
import type { DumpedFile, Target } from '../dump/write-parts'
import type { Output } from '../output'
import { jsonText } from '../terminal'

/** Log records in one line: as many as a collector likes to get at once. */
const BATCH_EVENTS = 512
const SCOPE = 'flight-log'
/** Int64 of protobuf; larger whole numbers are doubles. */
const INT64 = 2 ** 63

interface KeyValue {
  readonly key: string
  readonly value: object
}

/**
 * Events as OTLP/JSON logs, one `LogsData` a line, as the OpenTelemetry collector's file exporter writes them and its
 * `otlpjsonfile` receiver reads them: `resourceLogs` the process, `scopeLogs` a facility, `logRecords` its events
 * (https://github.com/open-telemetry/opentelemetry-proto, logs.proto; JSON: docs/specification.md, "JSON Protobuf Encoding").
 */
export function otlpTarget(out: Output): Target {
  const batch = new Map<DumpedFile, RecordedEvent[]>()
  let held = 0
  const flush = (): void => {
    if (held > 0) out.line(jsonText({ resourceLogs: [...batch].map(resourceLogs) }))
    batch.clear()
    held = 0
  }
  return {
    events(selected, file) {
      for (const recorded of selected) {
        const others = batch.get(file)
        if (others === undefined) batch.set(file, [recorded])
        else others.push(recorded)
        if (++held >= BATCH_EVENTS) flush()
      }
    },
    end: flush,
  }
}

function resourceLogs([{ header }, events]: readonly [DumpedFile, readonly RecordedEvent[]]): object {
  const scopes = new Map<string, object[]>()
  for (const recorded of events) {
    const { facility } = recorded.event
    const records = scopes.get(facility)
    if (records === undefined) scopes.set(facility, [logRecord(recorded)])
    else records.push(logRecord(recorded))
  }
  const scopeLogs = [...scopes].map(([name, logRecords]) => {
    return { scope: { name: name === '' ? SCOPE : name.toWellFormed() }, logRecords }
  })
  return { resource: { attributes: resourceOf(header) }, scopeLogs }
}

/** Names of the semantic conventions for resources. */
function resourceOf(header: IncidentHeader | undefined): readonly KeyValue[] {
  if (header === undefined) return [text('service.name', 'unknown_service')]
  const { service, version, host, pid, versions, incarnation, id } = header
  return [
    text('service.name', service === '' ? 'unknown_service' : service),
    ...(version === '' ? [] : [text('service.version', version)]),
    text('service.instance.id', incarnation),
    ...(host === '' ? [] : [text('host.name', host)]),
    { key: 'process.pid', value: anyValue(pid) },
    ...(versions['node'] === undefined
      ? []
      : [text('process.runtime.name', 'nodejs'), text('process.runtime.version', versions['node'])]),
    text('flog.incident.id', id),
  ]
}

function logRecord({ event, mark }: RecordedEvent): object {
  const { traceId, spanId } = event
  const time = nanoseconds(event.time)
  return {
    timeUnixNano: time,
    observedTimeUnixNano: time,
    severityNumber: event.severity,
    severityText: severityName(event.severity),
    body: stringValue(messageText(event)),
    attributes: attributesOf(event, mark),
    ...(isId(traceId, 32) && { traceId: traceId.toLowerCase() }),
    ...(isId(spanId, 16) && { spanId: spanId.toLowerCase() }),
  }
}

function attributesOf(event: LogEvent, mark: RecordedEvent['mark']): readonly KeyValue[] {
  const { fields, error, traceId, spanId, parent, thread, cut } = event
  const own = new Map<string, object>()
  for (const [key, value] of Object.entries(fields)) own.set(key, anyValue(value))
  if (error !== undefined) for (const { key, value } of exceptionOf(error)) own.set(key, value)
  own.set('flog.seq', anyValue(event.seq))
  const rest: Readonly<Record<string, Plain | undefined>> = {
    'flog.trigger': mark,
    'flog.template': messageText(event) === event.message ? undefined : event.message,
    // Ids of another length are no ids for OTLP.
    'flog.trace_id': isId(traceId, 32) ? undefined : traceId,
    'flog.span_id': isId(spanId, 16) ? undefined : spanId,
    'flog.parent': parent,
    'thread.id': thread,
    'flog.cut_bytes': cut,
  }
  for (const [key, value] of Object.entries(rest)) if (value !== undefined) own.set(key, anyValue(value))
  return [...own].map(([key, value]) => ({ key: key.toWellFormed(), value }))
}

/** Names of the semantic conventions for exceptions in logs. */
function exceptionOf({ name, message, stack, code, cause, errors, fields }: ErrorRecord): KeyValue[] {
  return [
    text('exception.type', name),
    text('exception.message', message),
    ...(stack === undefined ? [] : [text('exception.stacktrace', stack)]),
    ...(code === undefined ? [] : [{ key: 'exception.code', value: anyValue(code) }]),
    ...(cause === undefined ? [] : [{ key: 'exception.cause', value: anyValue(cause) }]),
    ...(errors === undefined ? [] : [{ key: 'exception.errors', value: anyValue(errors) }]),
    ...(fields === undefined ? [] : [{ key: 'exception.fields', value: anyValue(fields) }]),
  ]
}

function text(key: string, value: string): KeyValue {
  return { key, value: stringValue(value) }
}

/** Receivers refuse a whole request for one lone surrogate: protobuf's texts are UTF-8. */
function stringValue(value: string): object {
  return { stringValue: value.toWellFormed() }
}

/** A value with its type. What OTLP lacks is a text or a map, as `--json` has it. */
function anyValue(value: Plain): object {
  const meaning = meaningOf(value)
  if (meaning.kind === 'bytes') return { bytesValue: toJson(value) }
  // The digits would read as a text of digits.
  if (meaning.kind === 'bigint' && isInt64(meaning.text)) return { intValue: meaning.text }
  if (meaning.kind === 'literal' && typeof meaning.value === 'number') return numberValue(meaning.value)
  return jsonValue(toJson(value))
}

function numberValue(value: number): object {
  if (Number.isInteger(value) && Math.abs(value) < INT64 && !Object.is(value, -0))
    return { intValue: String(BigInt(value)) }
  return { doubleValue: Number.isFinite(value) ? value : String(value) }
}

function jsonValue(json: unknown): object {
  if (json === null || json === undefined) return {}
  if (typeof json === 'boolean') return { boolValue: json }
  if (typeof json === 'number') return numberValue(json)
  if (typeof json === 'string') return stringValue(json)
  if (Array.isArray(json)) return { arrayValue: { values: json.map(jsonValue) } }
  const values = Object.entries(json).map(([key, value]) => ({
    key: key.toWellFormed(),
    value: jsonValue(value),
  }))
  return { kvlistValue: { values } }
}

function isInt64(digits: string): boolean {
  if (!/^-?\d{1,19}$/.test(digits)) return false
  const value = BigInt(digits)
  return value === BigInt.asIntN(64, value)
}

/** Hexadecimal of the right length, and not all zeros, which means none. */
function isId(id: string | undefined, digits: number): id is string {
  return id !== undefined && id.length === digits && /^[0-9a-f]+$/i.test(id) && !/^0+$/.test(id)
}

/** As text: a JSON number has not enough digits. */
function nanoseconds(micros: number): string {
  if (!Number.isFinite(micros) || micros < 0) return '0'
  const whole = Math.floor(micros)
  return String(BigInt(whole) * 1000n + BigInt(Math.round((micros - whole) * 1000)))
}
