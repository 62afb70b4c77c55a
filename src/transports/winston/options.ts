import type { TransportStreamOptions } from 'winston-transport'
import { invalidOption } from '../../base/errors'
import { parseSeverity, type SeverityName } from '../../event/severity'
import type { RecorderOptions } from '../../recorder/options'
import type { Recorder } from '../../recorder/recorder'
import type { FacilityOption } from './info'

/** What {@link IncidentTransport} takes: winston's options for transports, and those of the recorder that it makes. */
export interface IncidentTransportOptions
  extends Omit<TransportStreamOptions, 'log' | 'logv' | 'close'>,
    RecorderOptions {
  /** A recorder to record into. The options of a recorder are then not taken, and closing it is left to its owner. */
  readonly recorder?: Recorder
  /**
   * Where the facility of an event is found: the name of a key of the info, or a function of it. Default `facility`, else
   * `label`.
   */
  readonly facility?: FacilityOption
  /** Severities of the logger's levels, by name, where what their names and ranks say is not right. */
  readonly severities?: Readonly<Record<string, SeverityName | number>>
}

/** The options, told apart by whom they are for. */
export interface TransportSettings {
  readonly stream: TransportStreamOptions
  readonly recorder: Recorder | undefined
  readonly recorderOptions: RecorderOptions
  readonly facility: FacilityOption | undefined
  readonly severities: Readonly<Record<string, SeverityName | number>>
}

const STREAM_OPTIONS: ReadonlySet<string> = new Set([
  'level',
  'silent',
  'format',
  'handleExceptions',
  'handleRejections',
  'highWaterMark',
])

/** @throws FlogError FLOG_OPTION_INVALID; the recorder's options are checked when it is made */
export function parseTransportOptions(options: IncidentTransportOptions): TransportSettings {
  if (typeof options !== 'object' || options === null) throw invalidOption('options', 'an object', options)
  const { recorder, facility, severities = {}, ...others } = options
  const entries = Object.entries(others)
  const stream = Object.fromEntries(entries.filter(([name]) => STREAM_OPTIONS.has(name)))
  const recorderOptions = Object.fromEntries(entries.filter(([name]) => !STREAM_OPTIONS.has(name)))
  const [unused] = Object.keys(recorderOptions)
  if (recorder !== undefined && unused !== undefined) {
    throw invalidOption(unused, 'a value only where no recorder is given', recorderOptions[unused as never])
  }
  return {
    stream,
    recorder: checkRecorder(recorder),
    recorderOptions,
    facility: checkFacility(facility),
    severities: checkSeverities(severities),
  }
}

function checkRecorder(recorder: Recorder | undefined): Recorder | undefined {
  if (recorder === undefined || typeof recorder?.events?.record === 'function') return recorder
  throw invalidOption('recorder', 'a recorder made by createRecorder()', recorder)
}

function checkFacility(facility: FacilityOption | undefined): FacilityOption | undefined {
  if (facility === undefined || typeof facility === 'function') return facility
  if (typeof facility === 'string' && facility !== '') return facility
  throw invalidOption('facility', 'the name of a key, or a function', facility)
}

function checkSeverities(severities: TransportSettings['severities']): TransportSettings['severities'] {
  if (typeof severities !== 'object' || severities === null) {
    throw invalidOption('severities', 'an object of severities by level name', severities)
  }
  for (const [name, value] of Object.entries(severities)) parseSeverity(`severities.${name}`, value)
  return severities
}
