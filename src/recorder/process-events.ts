import { TRIGGER_TEXT_CHARS } from '../base/limits'
import type { EventExtras } from '../codec/encoder'
import { isError } from '../codec/flat'
import { errorName, thrownText } from '../codec/hostile'
import { EncodedEvent } from '../codec/view'
import { currentContext } from '../event/context'
import type { TriggerKind } from '../event/event'
import { ERROR, FATAL, INFO, WARN } from '../event/severity'
import { messageText } from '../event/template'
import { syncInCall } from '../incident/sink'
import type { Capture } from './capture'
import type { Incidents } from './incidents'
import { observeProcess, observeSignal } from './process-listeners'
import type { ProcessEventSettings, ProcessEventUse } from './process-options'

const FACILITY = 'process'
/** Of warnings that a recorder gives itself. */
const OWN_WARNING = 'FlogWarning'
/** With `--unhandled-rejections=warn` Node gives two such warnings: the rejection itself, and one that explains. */
const REJECTION_WARNING = 'UnhandledPromiseRejectionWarning'
const EXPLANATION = 'Unhandled promise rejection. '

/** An event of the process, and what is to become of it. */
interface Noted {
  readonly use: ProcessEventUse
  readonly kind: TriggerKind
  readonly severity: number
  readonly message: string
  readonly fields: object
  readonly error?: unknown
  /** The process ends by it, so that there is nothing to hold back for. */
  readonly isLast?: boolean
}

/**
 * Records what happens to the process: errors nobody caught, warnings, signals, an empty event loop.
 *
 * Uncaught errors and unhandled rejections are only watched (`uncaughtExceptionMonitor`): a listener of the usual kind would
 * keep a program alive that should end. Not seen: what `--abort-on-uncaught-exception` ends, and rejections that count as
 * handled.
 */
export class ProcessEvents {
  readonly #settings: ProcessEventSettings
  readonly #capture: Capture
  readonly #incidents: Incidents
  readonly #forget: (() => void)[] = []
  /** Whether what was begun when the event loop was last empty gives it something to do. */
  #isFinishing = false

  constructor(settings: ProcessEventSettings, capture: Capture, incidents: Incidents) {
    this.#settings = settings
    this.#capture = capture
    this.#incidents = incidents
    const { uncaught, rejections, warnings, signals, beforeExit } = settings
    if (uncaught !== false || rejections !== false)
      this.#forget.push(
        observeProcess('uncaughtExceptionMonitor', (error, from) => this.#thrown(error, from)),
      )
    if (warnings !== false || rejections !== false)
      this.#forget.push(observeProcess('warning', (warning) => this.#warned(warning)))
    if (beforeExit !== false) this.#forget.push(observeProcess('beforeExit', (code) => this.#idle(code)))
    for (const signal of signals)
      this.#forget.push(observeSignal(signal, (_, others) => this.#signalled(signal, others)))
  }

  close(): void {
    for (const forget of this.#forget.splice(0)) forget()
  }

  #thrown(error: unknown, origin: unknown): void {
    const isRejection = origin === 'unhandledRejection'
    const goesOn =
      process.listenerCount('uncaughtException') > 0 || process.hasUncaughtExceptionCaptureCallback()
    this.#note({
      use: isRejection ? this.#settings.rejections : this.#settings.uncaught,
      kind: 'crash',
      severity: FATAL,
      message: `${isRejection ? 'unhandled rejection' : 'uncaught error'}: ${textOf(error)}`,
      fields: { handled: goesOn },
      error,
      isLast: !goesOn,
    })
  }

  #warned(given: unknown): void {
    const { name, message, code, detail } = given as Error & { code?: unknown; detail?: unknown }
    if (name === OWN_WARNING) return
    if (name === REJECTION_WARNING) {
      const { rejections } = this.#settings
      const use = rejections === 'trigger' && message.startsWith(EXPLANATION) ? 'event' : rejections
      const text = `unhandled rejection: ${firstLine(message)}`
      this.#note({
        use,
        kind: 'crash',
        severity: ERROR,
        message: text,
        fields: { handled: true },
        error: given,
      })
      return
    }
    const fields = { name, ...(code !== undefined && { code }), ...(detail !== undefined && { detail }) }
    const text = `${name}: ${clip(message)}`
    this.#note({
      use: this.#settings.warnings,
      ...{ kind: 'event', severity: WARN, message: text, fields, error: given },
    })
  }

  #signalled(signal: string, others: unknown): void {
    const fields = { signal, handled: others !== 0 }
    this.#note({
      use: 'trigger',
      ...{ kind: 'signal', severity: WARN, message: 'signal {signal}', fields, isLast: others === 0 },
    })
  }

  /**
   * Node asks again whenever something was done in between. Where that was to finish an incident, and nothing else, the
   * program has come to no new end; an incident that a full disk keeps unfinished may hide one that is.
   */
  #idle(exitCode: unknown): void {
    const wasFinishing = this.#isFinishing
    this.#isFinishing = false
    if (wasFinishing) return
    const message = 'the event loop has nothing more to do'
    syncInCall(() =>
      this.#note({
        use: this.#settings.beforeExit,
        ...{ kind: 'event', severity: INFO, message, fields: { exitCode } },
      }),
    )
    this.#isFinishing = this.#incidents.stats().unfinished > 0
  }

  #note({ use, kind, severity, message, fields, error, isLast }: Noted): void {
    if (use === false) return
    const { payload, whole } = this.#capture.recordAside(severity, message, FACILITY, fields, extrasOf(error))
    if (use === 'event') {
      this.#incidents.append(payload)
      return
    }
    // As it is in the event: redacted.
    const reason = messageText(new EncodedEvent(payload)).slice(0, TRIGGER_TEXT_CHARS)
    this.#incidents.request(kind, payload, reason, { whole, limited: isLast !== true })
  }
}

/** The error, and the activity in which it was thrown, as far as Node still knows that. */
function extrasOf(error: unknown): EventExtras {
  const { traceId, spanId, parent, fields } = currentContext() ?? {}
  return { traceId, spanId, parent, bound: fields, ...(error !== undefined && error !== null && { error }) }
}

/** `TypeError: x is not a function`, or what was thrown instead of an error. The event's error has all of it. */
function textOf(thrown: unknown): string {
  const name = isError(thrown) ? `${errorName(thrown)}: ` : ''
  return name + clip(thrownText(thrown))
}

function firstLine(text: string): string {
  return clip(text.split('\n', 1)[0] ?? '')
}

function clip(text: string): string {
  return text.slice(0, TRIGGER_TEXT_CHARS)
}
