import type { FileHandle } from 'node:fs/promises'
import { nodeEngine } from '../../../src/incident/node-engine'
import { IncidentParser, type IncidentPart } from '../../../src/incident/parser'
import type { RecordedEvent } from '../../../src/incident/parts'
import { openIncidentFile } from '../../../src/incident/reader'
import { triggerText } from '../show/incident-text'
import type { Surroundings } from '../verb'
import { pause } from '../wait'
import type { TailPrinter } from './printer'

const CHUNK_BYTES = 64 * 1024
/** A file is looked at this often: events of the window are written one by one, and file systems differ in what they tell. */
const POLL_MS = 100

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
  const file = await openIncidentFile(path)
  try {
    return await new Follower(lines, printer, io).run(file)
  } finally {
    await file.close()
  }
}

class Follower {
  readonly #lines: number
  readonly #printer: TailPrinter
  readonly #io: Surroundings
  readonly #parser = new IncidentParser(nodeEngine)
  /** Events that were there already; undefined once the end of the file was seen. */
  #held: RecordedEvent[] | undefined = []
  #closed = false
  #sound = true

  constructor(lines: number, printer: TailPrinter, io: Surroundings) {
    this.#lines = lines
    this.#printer = printer
    this.#io = io
  }

  async run(file: FileHandle): Promise<boolean> {
    const { signal, clock } = this.#io
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    let position = 0
    while (!signal.aborted) {
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, position)
      position += bytesRead
      if (bytesRead > 0)
        await this.#take(this.#parser.push(Uint8Array.prototype.slice.call(chunk, 0, bytesRead)))
      else if (this.#closed) break
      else {
        this.#release()
        await this.#printer.flush()
        await pause(POLL_MS, signal, clock)
      }
    }
    this.#release()
    if (this.#closed) await this.#take(this.#parser.end())
    await this.#printer.flush()
    return this.#sound
  }

  async #take(parts: Iterable<IncidentPart>): Promise<void> {
    for (const part of parts) {
      switch (part.kind) {
        case 'header':
          await this.#printer.say(
            `incident ${part.header.id}: ${triggerText(part.header.trigger, this.#io.talkStyle)}`,
          )
          break
        case 'events':
          for (const event of part.events) this.#event(event)
          break
        case 'trailer':
          this.#closed = true
          break
        case 'damage':
          this.#sound = false
          await this.#printer.say(part.damage.message)
          break
        case 'verdict':
          break
      }
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

  #release(): void {
    for (const { event, mark } of this.#held ?? []) this.#printer.event(event, mark)
    this.#held = undefined
  }
}
