import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Ended, flog, jsonLines, scratchDirectory } from '../command'

/** A directory of one test file, with runs of `flog record` in it. */
export class Recordings {
  readonly scratch = scratchDirectory()
  #directories = 0

  /** A directory that is not there yet: the recorder makes it. */
  fresh(): string {
    return join(this.scratch, `incidents-${this.#directories++}`)
  }
}

export function record(directory: string, args: readonly string[], input?: string | Buffer): Promise<Ended> {
  return flog(['record', '-d', directory, ...args], { input: input ?? '' })
}

/** Runs a script of node as the recorded program. */
export function program(script: string, ...args: string[]): string[] {
  return [process.execPath, '-e', script, ...args]
}

export function incidentFiles(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory).filter((name) => name.includes('.incident.flog')) : []
}

/** All events of the incidents in a directory, as `flog dump --json` has them. */
export async function recordedEvents(directory: string): Promise<Record<string, unknown>[]> {
  const files = incidentFiles(directory).map((name) => join(directory, name))
  const { stdout, code } = await flog(['dump', '--json', ...files])
  expect(code).toBe(0)
  return jsonLines(stdout).filter((line) => 'seq' in line)
}
