import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../src/base/clock'
import type { FlogError } from '../../src/base/errors'
import { messageText } from '../../src/event/template'
import type { Incident } from '../../src/recorder/incident'
import { parseOptions, type RecorderOptions } from '../../src/recorder/options'
import { Recorder } from '../../src/recorder/recorder'
import { type Parsed, parsed } from '../incident/parsing'
import { FakeClock } from '../remote/support/fake-clock'

/** As many incidents as a test likes. */
export const UNLIMITED = { coolDownMs: 0, perHour: Infinity, perFingerprintPerHour: Infinity } as const

/** Directory, clock and recorders of one test, and their end. */
export class RecorderRig {
  readonly clock = new FakeClock()
  readonly root = mkdtempSync(join(tmpdir(), 'flog-recorder-'))
  readonly directory = join(this.root, 'incidents')
  readonly warnings: FlogError[] = []
  readonly #recorders: Recorder[] = []

  /** A recorder whose time stands still until `clock` is turned. */
  recorder(options: RecorderOptions = {}, clock: Clock = this.clock): Recorder {
    const settings = parseOptions({ directory: this.directory, limits: UNLIMITED, ...options })
    const recorder = new Recorder(settings, clock)
    recorder.on('warning', (warning) => this.warnings.push(warning))
    this.#recorders.push(recorder)
    return recorder
  }

  files(directory = this.directory): string[] {
    return readdirSync(directory).sort()
  }

  async end(): Promise<void> {
    for (const recorder of this.#recorders.splice(0)) await recorder.close()
    rmSync(this.root, { recursive: true, force: true })
  }
}

/** What an incident's file holds now: read at once, without a turn of the event loop. */
export function contents(incident: Incident | undefined): Parsed {
  if (incident?.path === undefined) throw new Error('there is no incident file')
  return parsed(readFileSync(incident.path))
}

/** Messages in the order of the file. */
export function messages({ events }: Parsed): string[] {
  return events.map(messageText)
}

/** Messages of marked events, with their marks. */
export function marks({ events, marks: marked }: Parsed): [string, string][] {
  return events.flatMap((event) => {
    const mark = marked.get(event.seq)
    return mark === undefined ? [] : [[messageText(event), mark]]
  })
}

/** The finished file of an incident whose window is over. */
export async function finished(incident: Incident | undefined): Promise<Parsed> {
  await incident?.closed
  return contents(incident)
}
