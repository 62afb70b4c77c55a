import { isAbsolute, resolve } from 'node:path'
import { type ByteSize, parseBytes } from '../base/bytes'
import { invalidOption } from '../base/errors'
import { EVENT_BYTES } from '../base/limits'
import { checkNames } from '../base/names'
import { parseWhole } from '../base/numbers'
import { type Redaction, type RedactionOptions, Redactor } from '../event/redact'
import type { LimitOptions } from '../incident/limits'
import { type IncidentQualifier, type QualifierOption, toQualifier } from '../incident/qualifier'
import { severityAtLeast } from '../incident/qualifiers/severity'
import { IncidentReporter, type ReporterOptions } from '../incident/reporter'
import type { RingSizes } from '../ring/set'
import { inheritedLineage, labelOf } from './lineage'
import { type ProcessEventOptions, type ProcessEventSettings, parseProcessEvents } from './process-options'
import { parseSidecar, type SidecarOptions, type SidecarSettings } from './sidecar-options'

/** What {@link createRecorder} takes; everything has a default. */
export interface RecorderOptions {
  /** Where incident files go; made where it is missing. Default the one of a parent process, else `./incidents`. */
  readonly directory?: string
  /** Name of the program in every header; default the one of a parent process, else the script's name. */
  readonly service?: string
  /** The program's own version; default the one that comes with an inherited service, else none. */
  readonly version?: string
  /** Further versions for the header, by name. */
  readonly versions?: Readonly<Record<string, string>>
  /** Bytes of history by severity, rounded up to powers of two; default 8 MiB in all. */
  readonly rings?: RingSizes
  /** Rings of their own for chatty facilities and what lies below them. */
  readonly facilities?: Readonly<Record<string, RingSizes>>
  /** Decides which events begin an incident; default `severityAtLeast('error')`. */
  readonly qualifier?: QualifierOption
  /** What a report holds: options, or a reporter of your own. */
  readonly reporter?: ReporterOptions | IncidentReporter | (new () => IncidentReporter)
  /** How many incidents there may be, whatever the qualifier says. */
  readonly limits?: LimitOptions
  /** What the directory may hold; the oldest finished incidents go first. Default 256 MiB, 200 incidents. */
  readonly retention?: { readonly maxBytes?: ByteSize; readonly maxIncidents?: number }
  /** Added to the default list; an object with `defaults: false` replaces it. */
  readonly redact?: readonly Redaction[] | RedactionOptions
  /** Bytes of one event, 4 to 64 KiB; a longer one is cut, and says so. Default 16 KiB. */
  readonly eventBytes?: ByteSize
  /** Permissions of incident files; default 0600. */
  readonly fileMode?: number
  /**
   * A second thread, which notices a stuck event loop, keeps a black box for sudden deaths, and publishes and finishes
   * incidents. Default false.
   */
  readonly sidecar?: boolean | SidecarOptions
  /** Uncaught errors, warnings, signals and the like: which begin an incident, which are recorded; false for none. */
  readonly processEvents?: false | ProcessEventOptions
  /** Which of the service's processes this is; default `cluster worker 2` or `child of 4711` where that is so. */
  readonly label?: string
  /**
   * Whether service, version and directory of a parent process with a recorder are the defaults, and whether those of this
   * one are its children's. They travel in the environment, as `FLIGHT_LOG_PARENT`. Default true.
   */
  readonly inherit?: boolean
}

/** Options, checked and with defaults. */
export interface Settings {
  readonly directory: string
  readonly service: string | undefined
  readonly version: string | undefined
  readonly versions: Readonly<Record<string, string>> | undefined
  readonly rings: RingSizes | undefined
  readonly facilities: Readonly<Record<string, RingSizes>> | undefined
  readonly qualifier: IncidentQualifier
  readonly reporter: IncidentReporter
  readonly limits: LimitOptions
  readonly quota: { readonly maxBytes?: number; readonly maxIncidents?: number }
  readonly redactor: Redactor
  readonly eventBytes: number
  readonly fileMode: number | undefined
  readonly sidecar: SidecarSettings | undefined
  /** What of the redaction can be told to another thread: no functions. */
  readonly redactions: { readonly defaults: boolean; readonly also: readonly (string | RegExp)[] }
  readonly processEvents: ProcessEventSettings | undefined
  readonly label: string | undefined
  readonly inherit: boolean
}

/** @throws FlogError FLOG_OPTION_INVALID naming the option, what it takes and what it got */
export function parseOptions(options: RecorderOptions): Settings {
  checkNames('', options, NAMES)
  const { facilities, limits = {}, qualifier = severityAtLeast('error'), redact } = options
  checkNames('limits', limits, LIMIT_NAMES)
  const inherit = flag('inherit', options.inherit ?? true)
  const parent = inherit ? inheritedLineage() : undefined
  const service = text('service', options.service)
  return {
    directory: directory(options.directory ?? parent?.directory ?? 'incidents'),
    service: service ?? parent?.service,
    version: text('version', options.version) ?? (service === undefined ? parent?.version : undefined),
    label: text('label', options.label) ?? labelOf(parent),
    inherit,
    processEvents: parseProcessEvents(options.processEvents ?? {}),
    versions: options.versions === undefined ? undefined : texts('versions', options.versions),
    rings: options.rings === undefined ? undefined : record('rings', options.rings),
    facilities: facilities === undefined ? undefined : record('facilities', facilities),
    qualifier: toQualifier('qualifier', qualifier),
    reporter: toReporter(options.reporter ?? {}),
    limits,
    quota: quotaOf(options.retention ?? {}),
    redactor: redactor(redact ?? []),
    redactions: withoutFunctions(redact ?? []),
    sidecar: parseSidecar(options.sidecar),
    eventBytes: eventBytes(options.eventBytes ?? EVENT_BYTES),
    fileMode: mode(options.fileMode),
  }
}

const NAMES: readonly (keyof RecorderOptions)[] = [
  'directory',
  'service',
  'version',
  'versions',
  'rings',
  'facilities',
  'qualifier',
  'reporter',
  'limits',
  'retention',
  'redact',
  'eventBytes',
  'fileMode',
  'sidecar',
  'processEvents',
  'label',
  'inherit',
]
const LIMIT_NAMES: readonly (keyof LimitOptions)[] = ['perHour', 'perFingerprintPerHour', 'coolDownMs']

/** Absolute, so that a program that changes its working directory later keeps its incidents in one place. */
function directory(given: unknown): string {
  if (typeof given !== 'string' || given === '' || given.includes('\0')) {
    throw invalidOption('directory', 'the path of a directory', given)
  }
  return isAbsolute(given) ? given : resolve(given)
}

function text(option: string, value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && value !== '') return value
  throw invalidOption(option, 'a text that is not empty', value)
}

function flag(option: string, given: unknown): boolean {
  if (typeof given === 'boolean') return given
  throw invalidOption(option, 'true or false', given)
}

function texts(option: string, value: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, entry] of Object.entries(record(option, value))) text(`${option}.${name}`, entry)
  return value
}

function record<T extends object>(option: string, value: T): T {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw invalidOption(option, 'an object', value)
}

function toReporter(given: NonNullable<RecorderOptions['reporter']>): IncidentReporter {
  if (given instanceof IncidentReporter) return given
  if (typeof given !== 'function') return new IncidentReporter(given)
  if (given === IncidentReporter || given.prototype instanceof IncidentReporter) return new given()
  throw invalidOption('reporter', 'options, or a subclass of IncidentReporter', given)
}

function redactor(given: NonNullable<RecorderOptions['redact']>): Redactor {
  if (Array.isArray(given)) return new Redactor(given)
  checkNames('redact', given, ['defaults', 'also'])
  const { defaults, also } = given as RedactionOptions
  if (defaults !== undefined && typeof defaults !== 'boolean') {
    throw invalidOption('redact.defaults', 'true or false', defaults)
  }
  if (also !== undefined && !Array.isArray(also)) {
    throw invalidOption(
      'redact.also',
      'a list of names, dotted paths, regular expressions and functions',
      also,
    )
  }
  return new Redactor(given)
}

function withoutFunctions(given: NonNullable<RecorderOptions['redact']>): Settings['redactions'] {
  const { defaults = true, also = [] } = Array.isArray(given) ? { also: given } : (given as RedactionOptions)
  return { defaults, also: also.filter((entry) => typeof entry !== 'function') }
}

function quotaOf(retention: NonNullable<RecorderOptions['retention']>): Settings['quota'] {
  checkNames('retention', retention, ['maxBytes', 'maxIncidents'])
  const { maxBytes, maxIncidents } = retention
  return {
    ...(maxBytes !== undefined && { maxBytes: parseBytes('retention.maxBytes', maxBytes) }),
    ...(maxIncidents !== undefined && {
      maxIncidents: parseWhole('retention.maxIncidents', maxIncidents, 1, Infinity),
    }),
  }
}

function eventBytes(given: ByteSize): number {
  const bytes = parseBytes('eventBytes', given)
  if (bytes >= 4096 && bytes <= 65_536) return bytes
  throw invalidOption('eventBytes', 'a size from 4KiB to 64KiB', given)
}

/** The recorder itself reads and writes its files again. */
function mode(given: unknown): number | undefined {
  if (given === undefined) return undefined
  const isMode = typeof given === 'number' && Number.isInteger(given) && given > 0 && given <= 0o777
  if (isMode && (given & 0o600) === 0o600) return given
  throw invalidOption('fileMode', 'permissions such as 0o640, with 0o600 among them', given)
}
