import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(__dirname, '../../..')
/** Built before the first test. */
const MAIN = join(ROOT, 'dist/tools/flog/main.js')

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface FlogOptions {
  readonly cwd?: string
  readonly input?: string | Buffer
  readonly env?: Readonly<Record<string, string>>
}

/** Arguments of `node` that run the command. */
export function flogArguments(args: readonly string[]): string[] {
  return [MAIN, ...args]
}

/** Starts the real command in a process of its own. Its standard input stays open unless `input` is given. */
export class Flog {
  readonly child: ChildProcessWithoutNullStreams
  readonly ended: Promise<Ended>
  stdout = Buffer.alloc(0)
  stderr = ''

  constructor(args: readonly string[], options: FlogOptions = {}) {
    const { FLOG_LOGPORT: _, npm_command: __, ...inherited } = process.env
    const env = { ...inherited, NO_COLOR: '1', TZ: 'UTC', ...options.env }
    this.child = spawn(process.execPath, flogArguments(args), { cwd: options.cwd ?? ROOT, env })
    this.child.stdout.on('data', (chunk: Buffer) => {
      this.stdout = Buffer.concat([this.stdout, chunk])
    })
    this.child.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString()
    })
    this.child.stdin.on('error', () => undefined)
    if (options.input !== undefined) this.child.stdin.end(options.input)
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        resolve({ code, signal, stdout: this.stdout.toString(), stderr: this.stderr })
      })
    })
  }

  /** Resolves with the match once standard output or standard error has it. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stdout.toString()) ?? pattern.exec(this.stderr)
      if (match !== null) return match
      await Promise.race([this.#moreOutput(), this.ended.then((end) => fail(pattern, end))])
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  #moreOutput(): Promise<void> {
    return new Promise((resolve) => {
      this.child.stdout.once('data', () => resolve())
      this.child.stderr.once('data', () => resolve())
    })
  }
}

/** Runs the command to its end. */
export function flog(args: readonly string[], options: FlogOptions = {}): Promise<Ended> {
  return new Flog(args, { input: '', ...options }).ended
}

/** A directory for one test file, removed after it. */
export function scratchDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'flog-test-'))
  afterAll(() => rmSync(path, { recursive: true, force: true }))
  return path
}

export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

function fail(pattern: RegExp, { code, signal, stdout, stderr }: Ended): never {
  throw new Error(`ended (${code ?? signal}) without ${pattern}:\n${stdout}\n${stderr}`)
}
