import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import type { Command, Start, State } from '../../fixtures/programs/with-sidecar'
import type { RecorderOptions } from '../../src/recorder/options'
import { type Parsed, parsed } from '../incident/parsing'
import { bundle } from '../recorder/bundle'

/** Built before the first test: the second thread runs what is there. */
export const MAIN = join(__dirname, '../../dist/src/index.js')

/** Short, so that tests are; as many incidents as they like. */
const OPTIONS: RecorderOptions = {
  sidecar: { stallMs: 300 },
  reporter: { postTrigger: { events: 10_000, ms: 300 } },
  limits: { coolDownMs: 0, perHour: 1000, perFingerprintPerHour: 1000 },
}

export interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly talk: string
}

/** The file itself, not the temporary one that it is made of. */
export function isBlackBox(name: string): boolean {
  return name.endsWith('.blackbox.flog')
}

/** Directories of one file of tests, and the programs that record there. */
export class SidecarPrograms {
  readonly root = mkdtempSync(join(tmpdir(), 'flog-sidecar-'))
  readonly #program = bundle('with-sidecar', this.root)
  readonly #running: SidecarProgram[] = []
  #directories = 0

  /** @param options of the only recorder @returns a program whose second thread works */
  async start(options: RecorderOptions = {}, start: Omit<Start, 'recorders'> = {}): Promise<SidecarProgram> {
    const program = this.startWith({ ...start, recorders: [options] })
    await program.until(() => program.files().some(isBlackBox))
    return program
  }

  /** Without waiting for anything. */
  startWith({ recorders, ...start }: Start, main = MAIN, env = process.env): SidecarProgram {
    const filled = recorders.map((options) => ({
      ...OPTIONS,
      directory: join(this.root, `incidents-${this.#directories++}`),
      ...options,
    }))
    const directories = filled.map(({ directory }) => directory)
    const args = [this.#program, main, JSON.stringify({ ...start, recorders: filled } satisfies Start)]
    const program = new SidecarProgram(args, directories, env)
    this.#running.push(program)
    return program
  }

  async end(): Promise<void> {
    for (const program of this.#running) await program.kill()
    rmSync(this.root, { recursive: true, force: true })
  }
}

export class SidecarProgram {
  readonly process: ChildProcess
  readonly directories: readonly string[]
  readonly ended: Promise<Ended>
  readonly #answers = new Map<number, (message: { answer?: unknown; failure?: string }) => void>()
  #asked = 0

  constructor(args: readonly string[], directories: readonly string[], env: NodeJS.ProcessEnv) {
    this.directories = directories
    this.process = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], env })
    const [out, err] = [this.process.stdout as Readable, this.process.stderr as Readable]
    this.ended = Promise.all([text(out), text(err), once(this.process, 'close')]).then(
      ([said, talk, [code, signal]]) => ({ code, signal, talk: said + talk }),
    )
    this.process.on('message', (message: { id: number; answer?: unknown; failure?: string }) => {
      this.#answers.get(message.id)?.(message)
      this.#answers.delete(message.id)
    })
  }

  get directory(): string {
    return this.directories[0] ?? ''
  }

  /** Without waiting for the answer, which may be long in coming. */
  tell(command: Command): void {
    this.process.send({ id: this.#asked++, command })
  }

  ask(command: Command): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#answers.set(this.#asked, ({ answer, failure }) => {
        if (failure === undefined) resolve(answer)
        else reject(new Error(failure))
      })
      this.tell(command)
    })
  }

  async state(): Promise<State> {
    return (await this.ask({ do: 'state' })) as State
  }

  /** Waits until it holds, or the program ends. */
  async until(condition: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await condition())) {
      if (this.process.exitCode !== null) throw new Error(`it ended: ${(await this.ended).talk}`)
      await pause(5)
    }
  }

  files(on = 0): string[] {
    try {
      return readdirSync(this.directories[on] ?? '').sort()
    } catch {
      return []
    }
  }

  /** Incidents of a directory, open and finished. A file is there a moment before its first bytes are. */
  incidents(on = 0): string[] {
    return this.files(on).filter(
      (name) => /^[^.].*\.incident\.flog(\.gz)?$/.test(name) && this.#bytes(name, on) > 0,
    )
  }

  /** 0 also for a file that has just gone. */
  #bytes(name: string, on: number): number {
    return statSync(join(this.directories[on] ?? '', name), { throwIfNoEntry: false })?.size ?? 0
  }

  /** Waits for so many finished incidents, and none that is not. */
  async finished(count: number, on = 0): Promise<Parsed[]> {
    await this.until(() => {
      const names = this.incidents(on)
      return names.length >= count && names.every((name) => name.endsWith('.gz'))
    })
    expect(this.incidents(on)).toHaveLength(count)
    return this.incidents(on).map((name) => this.read(name, on))
  }

  /** All there are, when the first recorder is closed. */
  async closed(): Promise<Parsed[]> {
    await this.ask({ do: 'close' })
    return this.incidents().map((name) => this.read(name))
  }

  read(name = this.incidents()[0] ?? '', on = 0): Parsed {
    const bytes = readFileSync(join(this.directories[on] ?? '', name))
    return parsed(name.endsWith('.gz') ? gunzipSync(bytes) : bytes)
  }

  async kill(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGKILL')
    await this.ended
  }
}

/** What the thread was stuck in; on a busy machine it comes a moment after the trigger. */
export function stackIn({ events }: Parsed): string {
  const stalls = events.filter(({ facility }) => facility === 'process.stall')
  return stalls.map(({ fields }) => String(fields['stack'])).join('\n')
}
