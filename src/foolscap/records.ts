import { FURTHER_TRIGGERS } from '../base/limits'
import type { LogEvent } from '../event/event'
import { type Damage, DamageLog } from '../incident/damage'
import type { FurtherTrigger } from '../incident/header'
import type { IncidentPart } from '../incident/parser'
import type { RecordedEvent } from '../incident/parts'
import { eventOf, incarnationOf, microsOf, secondsOf } from './event'
import { type Opening, openingOf } from './header'
import { type Dict, JsonError, parseJson, type Value } from './json'
import { levelText, WEIRD } from './levels'
import type { Line } from './lines'
import { isDict } from './python'

/** Events that are given out together. */
const BATCH_EVENTS = 256
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** Makes parts of lines, and keeps the account that ends in a verdict. */
export class RecordMaker {
  readonly #fingerprint: (event: LogEvent) => string
  readonly #log = new DamageLog()
  readonly #further: FurtherTrigger[] = []
  #furtherOmitted = 0
  #told: Dict | undefined
  #opening: Opening | undefined
  #batch: RecordedEvent[] = []
  #events = 0
  /** Events up to and including the trigger, once that was seen. */
  #history: number | undefined
  #lastTime = 0
  #wholeBytes = 0

  constructor(fingerprint: (event: LogEvent) => string) {
    this.#fingerprint = fingerprint
  }

  /** One line of the file, its first one excepted. */
  *line(line: Line): Generator<IncidentPart, void> {
    const value = this.#valueOf(line)
    if (value instanceof Problem) {
      yield* this.flush()
      yield this.damage(damageOf(line, value.message))
      return
    }
    this.#wholeBytes = line.offset + line.length
    if (!isDict(value)) return
    const header = value.get('header')
    const event = value.get('d')
    if (isDict(header)) this.#told ??= header
    else if (isDict(event)) yield* this.#event(value, event)
  }

  damage(damage: Damage): IncidentPart {
    this.#log.add(damage)
    return { kind: 'damage', damage }
  }

  /** Gives out the events that are ready. */
  *flush(): Generator<IncidentPart, void> {
    if (this.#batch.length === 0) return
    const events = this.#batch
    this.#batch = []
    yield { kind: 'events', events }
  }

  /**
   * @param plainBytes length of the plain file
   * @param isPacked Foolscap compresses a file when it is finished
   */
  *end(plainBytes: number, isPacked: boolean): Generator<IncidentPart, void> {
    yield* this.flush()
    const isWhole = this.#log.isEmpty
    if (this.#opening === undefined && this.#told !== undefined) yield this.#open(undefined)
    if (this.#opening === undefined && isWhole) {
      const message = 'the file ends before its header'
      yield this.damage({ what: 'truncated', layer: 'plain', offset: plainBytes, bytes: 0, message })
    }
    const opening = this.#opening
    const hasTrailer = isWhole && opening !== undefined && (isPacked || opening.trigger === undefined)
    if (hasTrailer) yield this.#trailer(opening)
    const seen = {
      events: this.#events,
      plainBytes,
      wholeBytes: this.#wholeBytes,
      hasHeader: opening !== undefined,
      hasTrailer,
    }
    yield { kind: 'verdict', verdict: this.#log.verdict(seen) }
  }

  #valueOf({ bytes, length }: Line): Value | Problem {
    if (bytes === undefined) return new Problem(`a line of ${length} bytes is longer than any that is read`)
    if (bytes.length === 0) return null
    if (bytes.every((byte) => byte === 0)) return new Problem('zeros that were never written to the disk')
    try {
      return parseJson(utf8.decode(bytes))
    } catch (error) {
      if (error instanceof JsonError) return new Problem(`a line is no JSON: ${error.message}`)
      throw error
    }
  }

  *#event(wrapper: Dict, d: Dict): Generator<IncidentPart, void> {
    const opening = this.#opening
    if (opening === undefined) yield this.#open(wrapper)
    const { common } = this.#opening as Opening
    const event = eventOf(wrapper, d, common, this.#events)
    const mark = this.#markOf(d, event)
    this.#events++
    if (mark === 'trigger') this.#history = this.#events
    this.#lastTime = Math.max(this.#lastTime, microsOf(wrapper.get('rx_time')) ?? event.time)
    if (mark === 'further') this.#note(event, d)
    this.#batch.push(mark === undefined ? { event } : { event, mark })
    if (this.#batch.length >= BATCH_EVENTS) yield* this.flush()
  }

  /** A file's header is told with its first event, which it is partly made of. */
  #open(first: Dict | undefined): IncidentPart {
    this.#opening = openingOf(this.#told, first, this.#fingerprint)
    return { kind: 'header', header: this.#opening.header }
  }

  /** Foolscap marks nothing: the trigger is told by the header, later ones by the level that its default qualifier takes. */
  #markOf(d: Dict, event: LogEvent): 'trigger' | 'further' | undefined {
    const trigger = this.#opening?.trigger
    if (trigger === undefined) return undefined
    const isTrigger = d.get('num') === trigger.num && incarnationOf(d) === trigger.incarnation
    if (this.#history === undefined) return isTrigger ? 'trigger' : undefined
    return (secondsOf(d.get('level')) ?? 0) >= WEIRD && !isTrigger && event.seq > 0 ? 'further' : undefined
  }

  #note(event: LogEvent, d: Dict): void {
    if (this.#further.length >= FURTHER_TRIGGERS) {
      this.#furtherOmitted++
      return
    }
    const reason = `logged at level ${levelText(secondsOf(d.get('level')) ?? 0)}`
    const { seq, time } = event
    this.#further.push({ seq, time, kind: 'event', reason, fingerprint: this.#fingerprint(event) })
  }

  #trailer({ header, trigger }: Opening): IncidentPart {
    const total = this.#events
    const history = this.#history ?? total
    const after = total - history
    const byCount = after >= header.postTrigger.events
    const reason = trigger === undefined ? 'closed' : byCount ? 'events' : after === 0 ? 'no-window' : 'time'
    return {
      kind: 'trailer',
      trailer: {
        closedAt: Math.max(this.#lastTime, header.trigger.event.time),
        reason,
        events: { total, history, after },
        furtherTriggers: this.#further,
        furtherTriggersOmitted: this.#furtherOmitted,
        lost: 0,
      },
    }
  }
}

class Problem {
  constructor(readonly message: string) {}
}

/** The last line of a file is cut, any other is wrong. */
function damageOf({ offset, length, isEnded }: Line, message: string): Damage {
  const what = isEnded ? 'corrupt' : 'truncated'
  const told = isEnded ? message : `the file ends in the middle of a line: ${message}`
  return { what, layer: 'plain', offset, bytes: length, message: told, eventsLost: 1 }
}
