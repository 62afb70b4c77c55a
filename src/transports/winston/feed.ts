import { LEVEL, SPLAT } from 'triple-beam'
import { messageOf } from '../../base/errors'
import { INFO, type SeverityName, severityOf } from '../../event/severity'
import { winstonSeverities } from '../../event/winston-levels'
import type { Capture, Stamp } from '../../recorder/capture'
import { type Info, isInfo } from './info'
import type { WinstonLogger } from './logger'
import type { Feed } from './tap'

/** Who gets what a logger is told. */
export interface Receiver {
  readonly events: Capture
  /** An info that did not arrive in its own call. Must not throw. */
  receive(info: Info, feed: LoggerFeed, note: Note): void
  /** An info that a format failed on. Must not throw. */
  receiveUnformatted(info: Info, feed: LoggerFeed, note: Note, failure: string): void
  /** Told after each info that did not arrive in its own call, whatever became of it. */
  done(): void
}

/** What was seen when the program logged. */
export class Note implements Stamp {
  /** What the logger's format made of it. */
  result: unknown = NOTHING_YET
  taken = false

  constructor(
    readonly seq: number,
    readonly time: number,
    readonly info: unknown,
    /** The message before any format. */
    readonly message: unknown,
    /** The error that was logged as such: formats tend to take it apart. */
    readonly error: Error | undefined,
    readonly outer: Note | undefined,
  ) {}
}

const NOTHING_YET = Symbol('nothing yet')

/**
 * One logger as one transport hears it.
 *
 * ```
 *   begin ── format ── the info arrives at the transport ── end     usual: recorded on arrival
 *   begin ── format ── waits behind a slow sibling ──────── end     recorded at the end, skipped when it arrives
 *   begin ── waits ──────────────────────────────────────── end     the same, from a copy that is formatted at once
 * ```
 */
export class LoggerFeed implements Feed {
  readonly logger: WinstonLogger
  readonly #receiver: Receiver
  readonly #explicit: Readonly<Record<string, SeverityName | number>>
  readonly #early = new Early()
  #levels: Readonly<Record<string, number>> | undefined
  #severities: ReadonlyMap<string, number> = new Map()
  /** The level that was asked for last, and its severity. */
  #level: unknown
  #severity = INFO
  /** The innermost write that runs: formats and siblings may log too. */
  #note: Note | undefined

  /** @throws FlogError FLOG_OPTION_INVALID for a severity that is none, or a level that the logger does not have */
  constructor(
    logger: WinstonLogger,
    receiver: Receiver,
    explicit: Readonly<Record<string, SeverityName | number>>,
  ) {
    this.logger = logger
    this.#receiver = receiver
    this.#explicit = explicit
    this.#readLevels()
  }

  begin(info: unknown, logged: Error | undefined): void {
    const { clock, control } = this.#receiver.events
    const time = clock.now()
    const message = rawMessage(info)
    this.#note = new Note(control.nextSeq(), time, info, message, rawError(info, message, logged), this.#note)
  }

  formatted(result: unknown, info: unknown): void {
    const note = this.#note
    const isCurrent = note !== undefined && note.result === NOTHING_YET
    if (isCurrent && (info === undefined || note.info === info)) note.result = result
    else if (this.#early.take(info)) this.#early.add(result)
  }

  end(threw: boolean): boolean {
    const note = this.#note
    if (note === undefined) return false
    this.#note = note.outer
    if (note.taken) return false
    const waits = note.result === NOTHING_YET && this.#formatNow(note, threw)
    if (note.result !== NOTHING_YET) this.#passNow(note, threw)
    this.#receiver.done()
    return waits
  }

  /** The note of an info that arrives in its own call; undefined for any other. */
  take(info: object): Note | undefined {
    const note = this.#note
    if (note === undefined || note.taken || note.result !== info) return undefined
    note.taken = true
    return note
  }

  /** Whether an info that arrives was recorded when it was logged. */
  skips(info: object): boolean {
    return this.#early.take(info)
  }

  severity(level: unknown): number {
    if (this.logger.levels !== this.#levels) this.#readLevels()
    if (level === this.#level) return this.#severity
    if (typeof level !== 'string') return INFO
    this.#level = level
    this.#severity = this.#severities.get(level) ?? severityOf(level) ?? INFO
    return this.#severity
  }

  #readLevels(): void {
    this.#levels = this.logger.levels
    this.#severities = winstonSeverities(this.#levels, this.#explicit)
    this.#level = undefined
    this.#severity = INFO
  }

  #passNow(note: Note, threw: boolean): void {
    const { result } = note
    if (!isInfo(result)) return
    // Where a sibling threw, the logger has given the info up: it arrives no more.
    if (!threw) this.#early.add(result)
    this.#receiver.receive(result, this, note)
  }

  /** @returns whether the original will be formatted later */
  #formatNow(note: Note, threw: boolean): boolean {
    const { info } = note
    if (this.logger.silent === true || !isInfo(info)) return false
    if (!threw) this.#early.add(info)
    let result: unknown
    try {
      const { format } = this.logger
      result = format.transform(copyOf(info), format.options)
    } catch (error) {
      this.#receiver.receiveUnformatted(info, this, note, messageOf(error))
      return !threw
    }
    if (isInfo(result)) this.#receiver.receive(result, this, note)
    return !threw
  }
}

/** Infos that were recorded before they arrived; the same object may be on its way several times. */
class Early {
  readonly #counts = new WeakMap<object, number>()

  add(info: unknown): void {
    if (isInfo(info)) this.#counts.set(info, (this.#counts.get(info) ?? 0) + 1)
  }

  take(info: unknown): boolean {
    if (!isInfo(info)) return false
    const count = this.#counts.get(info)
    if (count === undefined) return false
    if (count === 1) this.#counts.delete(info)
    else this.#counts.set(info, count - 1)
    return true
  }
}

function rawMessage(info: unknown): unknown {
  try {
    return (info as Info).message
  } catch {
    return undefined
  }
}

function rawError(info: unknown, message: unknown, logged: Error | undefined): Error | undefined {
  try {
    if (info instanceof Error) return info
    if (message instanceof Error) return message
    return logged !== undefined && (info as Info)['stack'] === logged.stack ? logged : undefined
  } catch {
    return undefined
  }
}

/** A copy that a format may change, as much an error as the original. */
function copyOf(info: Info): Info {
  const copy: Info =
    info instanceof Error
      ? Object.create(Object.getPrototypeOf(info), Object.getOwnPropertyDescriptors(info))
      : Object.assign({}, info)
  copy[LEVEL] ??= copy.level
  const splat = copy[SPLAT]
  // format.splat() takes values out of the array itself.
  if (Array.isArray(splat)) copy[SPLAT] = [...splat]
  return copy
}
