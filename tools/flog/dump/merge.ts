import type { IncidentPart } from '../../../src/incident/parser'
import type { RecordedEvent } from '../../../src/incident/parts'
import { type DumpedFile, dumpedFile, type FilePart } from './write-parts'

export interface MergedInput {
  readonly path: string
  readonly parts: AsyncIterable<IncidentPart>
}

/**
 * The parts of several files, their events in one order by time; each file's own stay in the order that they have. Holds one
 * part of each file. What stands before the events of any file comes first.
 * @param onFailure told of a file that could not be read on; the others go on
 */
export async function* mergeByTime(
  inputs: readonly MergedInput[],
  onFailure: (error: unknown, path: string) => Promise<void>,
): AsyncGenerator<FilePart, void> {
  const all = inputs.map((input) => new Lane(input, onFailure))
  const verdicts: FilePart[] = []
  try {
    for (const lane of all) yield* untilEvents(lane, verdicts)
    for (let lane = first(all); lane !== undefined; lane = first(all)) {
      const others = first(all.filter((other) => other !== lane))
      yield { file: lane.file, part: { kind: 'events', events: lane.takeUntil(others?.time) } }
      if (lane.time === undefined) yield* untilEvents(lane, verdicts)
    }
    // What is said of each file as a whole comes below all events.
    yield* verdicts
  } finally {
    for (const lane of all) await lane.close()
  }
}

async function* untilEvents(lane: Lane, verdicts: FilePart[]): AsyncGenerator<FilePart, void> {
  for await (const found of lane.untilEvents()) {
    if (found.part.kind === 'verdict') verdicts.push(found)
    else yield found
  }
}

/** The one whose next event is the earliest; of equals the one that was named first. */
function first(lanes: readonly Lane[]): Lane | undefined {
  let earliest: Lane | undefined
  for (const lane of lanes)
    if (lane.time !== undefined && (earliest?.time === undefined || lane.time < earliest.time))
      earliest = lane
  return earliest
}

class Lane {
  readonly file: DumpedFile
  readonly #parts: AsyncIterator<IncidentPart>
  readonly #onFailure: (error: unknown, path: string) => Promise<void>
  #events: readonly RecordedEvent[] = []
  #at = 0

  constructor({ path, parts }: MergedInput, onFailure: (error: unknown, path: string) => Promise<void>) {
    this.file = dumpedFile(path)
    this.#parts = parts[Symbol.asyncIterator]()
    this.#onFailure = onFailure
  }

  /** Time of the next event; undefined where there is none. */
  get time(): number | undefined {
    return this.#events[this.#at]?.event.time
  }

  /** Reads on until there are events, or the file is at its end; gives out what is none. */
  async *untilEvents(): AsyncGenerator<FilePart, void> {
    this.#events = []
    this.#at = 0
    for (;;) {
      const next = await this.#parts.next().catch(async (error: unknown) => {
        await this.#onFailure(error, this.file.path)
        return undefined
      })
      if (next === undefined || next.done === true) return
      if (next.value.kind !== 'events') yield { file: this.file, part: next.value }
      else if (next.value.events.length > 0) {
        this.#events = next.value.events
        return
      }
    }
  }

  /** The events up to that time, at least one. */
  takeUntil(time = Number.POSITIVE_INFINITY): readonly RecordedEvent[] {
    const from = this.#at++
    while ((this.time ?? Number.POSITIVE_INFINITY) <= time && this.#at < this.#events.length) this.#at++
    return this.#events.slice(from, this.#at)
  }

  async close(): Promise<void> {
    await this.#parts.return?.()
  }
}
