import { type FileHandle, open } from 'node:fs/promises'
import type { LogEvent } from '../../../src/event/event'
import { facilityMatches } from '../../../src/event/facility'
import { eventHasText } from '../../../src/remote/tail-filter'
import { eventJson } from '../show/event-json'
import { type EventMark, EventText } from '../show/event-text'
import { clockTime } from '../show/time'
import { count } from '../show/words'
import { escapeLine } from '../terminal'
import type { Surroundings } from '../verb'
import type { TailOptions } from '../verbs/tail'

/** Prints events as they come, and appends them to a file where that is wanted. */
export class TailPrinter {
  readonly #options: TailOptions
  readonly #io: Surroundings
  readonly #text: EventText
  #file: FileHandle | undefined
  #unsaved = ''

  constructor(options: TailOptions, io: Surroundings) {
    this.#options = options
    this.#io = io
    this.#text = new EventText(io.style, (event) => clockTime(event.time))
  }

  /** Whether an event passes the filters of the command line; a publisher has applied them already. */
  passes(event: LogEvent): boolean {
    const { severity = 1, facility = '', grep = '' } = this.#options
    if (event.severity < severity || !facilityMatches(facility, event.facility)) return false
    return grep === '' || eventHasText(event, grep.toLowerCase())
  }

  /** Takes an event; {@link flush} shows it. */
  event(event: LogEvent, mark?: EventMark): void {
    const { json, saveTo } = this.#options
    const line = json === true || saveTo !== undefined ? `${JSON.stringify(eventJson(event, mark))}\n` : ''
    this.#io.out.write(json === true ? line : this.#text.render(event, mark))
    if (saveTo !== undefined) this.#unsaved += line
  }

  /** Says that events are missing here. */
  async missed(missed: number): Promise<void> {
    if (this.#options.json === true) this.#io.out.line(JSON.stringify({ missed }))
    await this.flush()
    this.#io.talk(`flog: ${count(missed, 'event')} missed: overwritten before they could be sent`)
  }

  async say(text: string): Promise<void> {
    await this.flush()
    this.#io.talk(this.#io.talkStyle.dim(`flog: ${escapeLine(text)}`))
  }

  async flush(): Promise<void> {
    await this.#io.out.flush()
    const { saveTo } = this.#options
    if (this.#unsaved === '' || saveTo === undefined) return
    this.#file ??= await open(saveTo, 'a', 0o600)
    const text = this.#unsaved
    this.#unsaved = ''
    await this.#file.appendFile(text)
  }

  async close(): Promise<void> {
    try {
      await this.flush()
    } finally {
      await this.#file?.close()
    }
  }
}
