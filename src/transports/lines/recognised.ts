import type { ErrorRecord } from '../../event/event'

/** What a line of a program's output says, as far as it can be told without guessing. */
export interface RecognisedLine {
  readonly format: LineFormat
  /** OpenTelemetry SeverityNumber; absent where the line names none. */
  readonly severity?: number
  readonly message: string
  /** Name of the part that logged; absent where the line names none. */
  readonly facility?: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly error?: ErrorRecord
  /** Microseconds since the epoch; absent where the line names none. */
  readonly time?: number
}

export type LineFormat = 'winston' | 'pino' | 'bunyan' | 'json' | 'logfmt' | 'plain'

export const NO_FIELDS: Readonly<Record<string, unknown>> = Object.freeze({})
