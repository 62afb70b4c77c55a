import type { Damage, Verdict } from '../../../src/incident/damage'
import type { IncidentHeader, IncidentTrailer } from '../../../src/incident/header'
import type { IncidentPart } from '../../../src/incident/parser'
import type { RecordedEvent } from '../../../src/incident/parts'
import type { Output } from '../output'
import { escapeLine } from '../terminal'
import type { Selection } from './selection'

/** A file that is printed, and what is known of it so far. */
export interface DumpedFile {
  readonly path: string
  header: IncidentHeader | undefined
  trailer: IncidentTrailer | undefined
  /** Events that were read. */
  events: number
  /** Events of these that were selected. */
  selected: number
}

export interface FilePart {
  readonly file: DumpedFile
  readonly part: IncidentPart
}

/** A format: writes what it is told of. One target may be told of several files, one after the other or merged. */
export interface Target {
  header?(file: DumpedFile): void
  /** @param all the events of the file that these were selected from */
  events(selected: readonly RecordedEvent[], file: DumpedFile, all: readonly RecordedEvent[]): void
  damage?(damage: Damage, file: DumpedFile): void
  /** The last that is told of a file. */
  verdict?(verdict: Verdict, file: DumpedFile): void
  /** Nothing comes any more, of any file. */
  end?(): void
}

export interface WriteOptions {
  readonly out: Output
  talk(line: string): void
  readonly selection?: Selection | undefined
  /** Show each part at once: somebody watches how it grows. */
  readonly live?: boolean
}

export function dumpedFile(path: string): DumpedFile {
  return { path, header: undefined, trailer: undefined, events: 0, selected: 0 }
}

/** Writes the parts of files to a target, no faster than the reader of `out` takes them. True where nothing is missing. */
export async function writeParts(
  parts: AsyncIterable<FilePart>,
  target: Target,
  { out, talk, selection, live }: WriteOptions,
): Promise<boolean> {
  let whole = true
  for await (const { file, part } of parts) {
    switch (part.kind) {
      case 'header':
        file.header = part.header
        target.header?.(file)
        // The first lines are there at once, however long the rest takes.
        await out.flush()
        break
      case 'events': {
        const selected =
          selection === undefined
            ? part.events
            : part.events.filter((recorded) => selection(recorded, file.header))
        file.events += part.events.length
        file.selected += selected.length
        target.events(selected, file, part.events)
        break
      }
      case 'trailer':
        file.trailer = part.trailer
        break
      case 'damage':
        target.damage?.(part.damage, file)
        await out.flush()
        talk(`flog: ${escapeLine(`${file.path}: ${part.damage.message}`)}`)
        break
      case 'verdict':
        if (part.verdict.state !== 'whole' && part.verdict.state !== 'open') whole = false
        target.verdict?.(part.verdict, file)
        break
    }
    await (live === true ? out.flush() : out.settle())
  }
  return whole
}

/** The parts of one file. */
export async function* partsOf(
  path: string,
  parts: AsyncIterable<IncidentPart>,
): AsyncGenerator<FilePart, void> {
  const file = dumpedFile(path)
  for await (const part of parts) yield { file, part }
}
