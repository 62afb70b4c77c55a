import type { IncidentPart } from '../../../src/incident/parser'
import type { RecordedEvent } from '../../../src/incident/parts'
import { triggerText } from '../show/incident-text'
import type { Surroundings } from '../verb'
import { growingFile } from './growing-file'
import type { TailPrinter } from './printer'

/**
 * Prints an incident file, the last `lines` of the events that are there and then those that are appended, until its
 * trailer comes or it is interrupted. A file that is renamed or removed meanwhile is read to its end.
 * @returns false where something in it was damaged
 */
export async function followFile(
  path: string,
  lines: number,
  printer: TailPrinter,
  io: Surroundings,
): Promise<boolean> {
  return new Follower(lines, printer, io).run(path)
}

class Follower {
  readonly #lines: number
  readonly #printer: TailPrinter
  readonly #io: Surroundings
  /** Events that were there already; undefined once the end of the file was seen. */
  #held: RecordedEvent[] | undefined = []
  #sound = true

  constructor(lines: number, printer: TailPrinter, io: Surroundings) {
    this.#lines = lines
    this.#printer = printer
    this.#io = io
  }

  async run(path: string): Promise<boolean> {
    for await (const part of growingFile(path, this.#io, () => this.#show())) await this.#take(part)
    await this.#show()
    return this.#sound
  }

  async #take(part: IncidentPart): Promise<void> {
    switch (part.kind) {
      case 'header':
        await this.#printer.say(
          `incident ${part.header.id}: ${triggerText(part.header.trigger, this.#io.talkStyle)}`,
        )
        break
      case 'events':
        for (const event of part.events) this.#event(event)
        break
      case 'damage':
        this.#sound = false
        await this.#printer.say(part.damage.message)
        break
      case 'trailer':
      case 'verdict':
      case 'unknown':
        break
    }
  }

  #event(recorded: RecordedEvent): void {
    if (!this.#printer.passes(recorded.event)) return
    if (this.#held === undefined || this.#lines === Number.POSITIVE_INFINITY) {
      this.#printer.event(recorded.event, recorded.mark)
    } else if (this.#lines > 0) {
      this.#held.push(recorded)
      if (this.#held.length > this.#lines) this.#held.shift()
    }
  }

  async #show(): Promise<void> {
    for (const { event, mark } of this.#held ?? []) this.#printer.event(event, mark)
    this.#held = undefined
    await this.#printer.flush()
  }
}
