import { type ByteSize, parseBytes } from '../base/bytes'
import { invalidOption } from '../base/errors'
import {
  POST_TRIGGER_EVENTS,
  POST_TRIGGER_MAX_EVENTS,
  POST_TRIGGER_MAX_MS,
  POST_TRIGGER_MS,
} from '../base/limits'
import { checkNames } from '../base/names'
import { parseWhole } from '../base/numbers'
import type { PlainObject } from '../event/event'
import type { RingHandle } from '../ring/layout'
import type { PostTriggerOptions, TriggerRecord } from './header'

export interface ReporterOptions {
  /** Window after the trigger; whichever ends first. Default 100 events or 5000 ms; 0 of either for no window at all. */
  readonly postTrigger?: { readonly events?: number; readonly ms?: number }
  /** Further triggers begin the window anew, but not past this. Default 10,000 events or 60,000 ms from the trigger. */
  readonly cap?: { readonly events?: number; readonly ms?: number }
  /** Newest bytes of history that go into the file, for very large rings. Default: all. */
  readonly historyBytesAtTrigger?: ByteSize
  /** Whether the triggering call also waits for the disk (fsync). Default false: it is asked for at once, off the thread. */
  readonly durable?: boolean
}

/**
 * Decides what an incident's report contains. Subclasses override what they want otherwise; how the file is written is
 * not theirs to break. Each method is called once an incident, at the trigger; one that throws is replaced by the default
 * and reported.
 */
export class IncidentReporter {
  readonly cap: PostTriggerOptions
  readonly durable: boolean
  readonly historyBytesAtTrigger: number | undefined
  readonly #postTrigger: PostTriggerOptions

  /** @throws FlogError FLOG_OPTION_INVALID */
  constructor(options: ReporterOptions = {}) {
    checkNames('reporter', options, ['postTrigger', 'cap', 'historyBytesAtTrigger', 'durable'])
    const { postTrigger = {}, cap = {}, historyBytesAtTrigger, durable = false } = options
    checkNames('reporter.postTrigger', postTrigger, ['events', 'ms'])
    checkNames('reporter.cap', cap, ['events', 'ms'])
    const { events = POST_TRIGGER_EVENTS, ms = POST_TRIGGER_MS } = postTrigger
    this.#postTrigger = parseWindow('reporter.postTrigger', { events, ms })
    this.cap = {
      events: parseWhole('reporter.cap.events', cap.events ?? POST_TRIGGER_MAX_EVENTS, 1, 1e7),
      ms: parseWhole('reporter.cap.ms', cap.ms ?? POST_TRIGGER_MAX_MS, 1, 24 * 3_600_000),
    }
    if (typeof durable !== 'boolean') throw invalidOption('reporter.durable', 'true or false', durable)
    this.durable = durable
    this.historyBytesAtTrigger =
      historyBytesAtTrigger === undefined
        ? undefined
        : parseBytes('reporter.historyBytesAtTrigger', historyBytesAtTrigger)
  }

  /** The window of every trigger, unless a subclass decides otherwise. */
  get declaredWindow(): PostTriggerOptions {
    return this.#postTrigger
  }

  /** The window after this trigger. */
  postTrigger(_trigger: TriggerRecord): PostTriggerOptions {
    return this.#postTrigger
  }

  /** What else goes into the header, as plain data; it comes out under `extra`. */
  header(_trigger: TriggerRecord): PlainObject | undefined {
    return undefined
  }

  /** Whether the history of this ring goes into the file. */
  includes(_ring: RingHandle, _trigger: TriggerRecord): boolean {
    return true
  }
}

/**
 * A window after a trigger: up to a million events, and an hour.
 * @throws FlogError FLOG_OPTION_INVALID
 */
export function parseWindow(option: string, window: PostTriggerOptions): PostTriggerOptions {
  return {
    events: parseWhole(`${option}.events`, window.events, 0, 1e6),
    ms: parseWhole(`${option}.ms`, window.ms, 0, 3_600_000),
  }
}
