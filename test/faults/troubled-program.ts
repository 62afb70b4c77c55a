import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Command, State } from '../../fixtures/programs/log-through-trouble'
import type { RecorderOptions } from '../../src/recorder/options'
import { type Parsed, parsed } from '../incident/parsing'
import { bundle } from '../recorder/bundle'
import { SmallDisk } from '../recorder/small-disk'

/** Built before the first test: what is loaded late is loaded from files, as in an app. */
const MAIN = join(__dirname, '../../dist/src/index.js')
/** Who owns nothing. Root may write everywhere, whatever the permissions say. */
const NOBODY = 65_534

/** A window that ends only when the recorder is closed. */
export const LONG_WINDOW = { reporter: { postTrigger: { events: 1e6, ms: 3_600_000 } } } as const
/** No window: what comes after the trigger is finishing. */
export const NO_WINDOW = { reporter: { postTrigger: { events: 0, ms: 0 } } } as const

export interface Ended {
  readonly code: number | null
  /** Standard error without the recorder's warnings. */
  readonly talk: string
  /** The recorder's warnings, as people see them. */
  readonly warned: readonly string[]
  readonly last: State
}

/** The directory of one test and the programs that log there. */
export class Scene {
  readonly root = mkdtempSync(join(tmpdir(), 'flog-faults-'))
  readonly directory = join(this.root, 'incidents')
  readonly #programs: TroubledProgram[] = []
  readonly #program: string
  #disk: SmallDisk | undefined

  constructor() {
    chmodSync(this.root, 0o755)
    this.#program = bundle('log-through-trouble', this.root)
  }

  /** A program that has logged a little. */
  async start(options: RecorderOptions = {}, user?: number): Promise<TroubledProgram> {
    const settings = { directory: this.directory, limits: { coolDownMs: 0 }, ...options }
    return this.#started([MAIN, JSON.stringify(settings)], user)
  }

  /** The same program without a recorder. */
  async startBare(): Promise<TroubledProgram> {
    return this.#started([MAIN], undefined)
  }

  /** Makes the directory a disk of its own. */
  disk(size: string): SmallDisk {
    this.#disk = new SmallDisk(this.directory, size)
    return this.#disk
  }

  files(): string[] {
    return readdirSync(this.directory).sort()
  }

  /** Ends all programs. */
  async stop(): Promise<void> {
    for (const program of this.#programs) await program.kill()
  }

  async end(): Promise<void> {
    await this.stop()
    this.#disk?.end()
    rmSync(this.root, { recursive: true, force: true })
  }

  async #started(args: readonly string[], user: number | undefined): Promise<TroubledProgram> {
    const program = new TroubledProgram([this.#program, ...args], user)
    this.#programs.push(program)
    await program.until(({ logged }) => logged >= 20)
    return program
  }
}

/** A real process that logs all the time. */
export class TroubledProgram {
  readonly #child: ChildProcess
  readonly #talk: Promise<string>
  readonly #gone: Promise<unknown[]>
  #last: State | undefined

  constructor(args: readonly string[], user: number | undefined) {
    this.#child = spawn(process.execPath, args, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      ...(user !== undefined && { uid: user, gid: user }),
    })
    this.#talk = text(this.#child.stderr as Readable)
    this.#gone = once(this.#child, 'close')
    this.#child.on('message', (state: State) => {
      this.#last = state
    })
  }

  /** Moves a soft limit of the process, as `ulimit` does, while it runs: `nofile`, `fsize`. */
  limit(resource: string, soft: number | 'unlimited'): void {
    const { status, stderr } = spawnSync('prlimit', ['--pid', `${this.#child.pid}`, `--${resource}=${soft}:`])
    if (status !== 0) throw new Error(`prlimit: ${stderr}`)
  }

  say(command: Command): void {
    this.#child.send(command)
  }

  /** The first state from now on of which this is true. */
  async until(isSo: (state: State) => boolean): Promise<State> {
    for (;;) {
      const [state] = (await Promise.race([once(this.#child, 'message'), this.#gone])) as [State | number]
      if (typeof state !== 'object' || state === null) throw new Error(`it ended: ${await this.#talk}`)
      if (isSo(state)) return state
    }
  }

  /** Logs on for a while: everything that is said is done, and some more events came after it. */
  async more(): Promise<State> {
    const before = this.#last?.logged ?? 0
    return this.until(({ logged }) => logged >= before + 30)
  }

  /** Waits until the recorder has looked, half a second after its start, for what others left in the directory. */
  async settled(): Promise<State> {
    return this.until(({ logged }) => logged >= 150)
  }

  /** Has it end in its own way, or as told. */
  async end(how: 'close' | 'exit' | 'throw' = 'close'): Promise<Ended> {
    this.say({ do: how })
    const [[code], talk] = (await Promise.all([this.#gone, this.#talk])) as [[number | null], string]
    const lines = talk.split('\n').filter((line) => !line.startsWith('(Use `node --trace-warnings'))
    const warned = lines.filter((line) => line.includes('FlogWarning: '))
    const rest = lines.filter((line) => !warned.includes(line)).join('\n')
    return { code, talk: rest, warned, last: this.#last as State }
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#gone
  }
}

/** Expects that a program was not troubled by its recorder's trouble, and was told of it once. */
export function expectUnharmed({ code, talk, warned, last }: Ended, warning: string | RegExp): void {
  expect({ code, talk, thrown: last.thrown }).toEqual({ code: 0, talk: '', thrown: 0 })
  expect(warned).toEqual([expect.stringMatching(warning)])
  expect(last.warnings).toHaveLength(1)
}

/** The incident in a file: that it lacks nothing, from the first event of the process on. */
export function wholeIncident(path: string | undefined): Parsed {
  const file = parsed(readFileSync(path ?? ''))
  expect(file.verdict).toMatchObject({ state: 'whole', damage: [] })
  expect(file.trailer).toMatchObject({ lost: 0, events: { total: file.events.length } })
  const seqs = file.events.map(({ seq }) => seq)
  expect(seqs).toEqual(Array.from(seqs, (_, i) => i))
  return file
}

/** A user whom permissions bind: this one, or for root nobody. Undefined where nobody may run what is built here. */
export function boundUser(): { readonly uid: number | undefined } | undefined {
  if (process.getuid?.() !== 0) return { uid: undefined }
  const load = ['-e', `require(${JSON.stringify(MAIN)})`]
  const { status } = spawnSync(process.execPath, load, { uid: NOBODY, gid: NOBODY, cwd: '/' })
  return existsSync(MAIN) && status === 0 ? { uid: NOBODY } : undefined
}
