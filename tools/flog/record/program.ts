import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import type { Clock } from '../../../src/base/clock'
import { systemCode } from '../../../src/base/errors'
import { Problem } from '../failure'
import type { ExitCode } from '../verb'
import { inForeground } from './foreground'

/** How a program ended. `asked`: somebody sent us a signal to end it, so its end is no surprise. */
export type ProgramEnd =
  | { readonly kind: 'exit'; readonly code: number; readonly asked: boolean }
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals; readonly asked: boolean }
  | { readonly kind: 'missing'; readonly problem: Problem }

export interface ProgramOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly stdinIsTTY: boolean
  readonly clock: Clock
  /** Called for each chunk of output; a promise holds the program's stream back until it resolves. */
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => Promise<void> | undefined
}

/** What a terminal sends to its whole foreground group, and what is sent to us alone. */
const TERMINAL_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT']
const DIRECT_SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2']
const ENDING: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP'])

/** A program that has ended may have left others that hold its output open: after this long without a word, no more. */
const SILENCE_MS = 1000

/** Another program with its output in our hands. Its input is ours; signals to us are passed on to it. */
export class Program {
  readonly #options: ProgramOptions
  readonly #child: ChildProcess
  readonly #foreground: boolean
  #asked = false
  /** Streams that wait for a slow reader of ours. */
  #held = 0
  #heardAt = 0

  constructor(options: ProgramOptions) {
    this.#options = options
    this.#foreground = inForeground(options.stdinIsTTY)
    for (const signal of [...TERMINAL_SIGNALS, ...DIRECT_SIGNALS]) process.on(signal, this.#onSignal)
    this.#child = spawn(options.command, options.args, { stdio: ['inherit', 'pipe', 'pipe'] })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Our reader has gone: the program's own output closes, and it learns of it as it would without us. */
  closeOutput(): void {
    this.#asked = true
    this.#child.stdout?.destroy()
  }

  /** Resolves when the program has ended and all its output has been handed over. Signals are let go then. */
  async end(): Promise<ProgramEnd> {
    try {
      const [end] = await Promise.all([this.#exited(), this.#pass('stdout'), this.#pass('stderr')])
      return end
    } finally {
      for (const signal of [...TERMINAL_SIGNALS, ...DIRECT_SIGNALS]) process.off(signal, this.#onSignal)
    }
  }

  #exited(): Promise<ProgramEnd> {
    return new Promise((resolve) => {
      this.#child.on('error', (error) => {
        if (this.#child.pid === undefined) resolve(missing(this.#options.command, error))
      })
      this.#child.on('exit', (code, signal) => {
        const asked = this.#asked
        this.#closeWhenSilent()
        resolve(
          signal === null ? { kind: 'exit', code: code ?? 0, asked } : { kind: 'signal', signal, asked },
        )
      })
    })
  }

  async #pass(name: 'stdout' | 'stderr'): Promise<void> {
    const stream = this.#child[name]
    if (stream === null) return
    await new Promise<void>((resolve) => {
      stream.on('close', resolve)
      stream.on('error', () => undefined)
      stream.on('data', (chunk: Buffer) => {
        this.#heardAt = this.#options.clock.monotonic()
        const ready = this.#options.onOutput(name, chunk)
        if (ready !== undefined) void this.#hold(stream, ready)
      })
    })
  }

  async #hold(stream: Readable, ready: Promise<void>): Promise<void> {
    stream.pause()
    this.#held++
    await ready
    this.#held--
    this.#heardAt = this.#options.clock.monotonic()
    stream.resume()
  }

  #closeWhenSilent(): void {
    const { clock } = this.#options
    this.#heardAt = clock.monotonic()
    const timer = clock.every(SILENCE_MS / 4, () => {
      if (this.#held > 0 || clock.monotonic() - this.#heardAt < SILENCE_MS) return
      timer.cancel()
      this.#child.stdout?.destroy()
      this.#child.stderr?.destroy()
    })
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (ENDING.has(signal)) this.#asked = true
    if (this.#foreground && TERMINAL_SIGNALS.includes(signal)) return
    this.#child.kill(signal)
  }
}

/** Signals that write a core file: raising one again would write ours over the program's. */
const CORE_SIGNALS: ReadonlySet<NodeJS.Signals> = new Set([
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGQUIT',
  'SIGSEGV',
  'SIGSYS',
  'SIGTRAP',
  'SIGXCPU',
  'SIGXFSZ',
])

/** Ends as the program did. A shell sees 128 + n either way. */
export function exitCodeOf(end: ProgramEnd): ExitCode {
  switch (end.kind) {
    case 'exit':
      return end.code
    case 'missing':
      return end.problem.exitCode
    case 'signal':
      if (!CORE_SIGNALS.has(end.signal)) process.kill(process.pid, end.signal)
      return 128 + constants.signals[end.signal]
  }
}

/** Exit codes as shells have them. */
function missing(command: string, error: Error): ProgramEnd {
  const code = systemCode(error)
  const notFound = code === 'ENOENT'
  const what = notFound ? 'command not found' : code === 'EACCES' ? 'permission denied' : error.message
  return { kind: 'missing', problem: new Problem(`${command}: ${what}`, undefined, notFound ? 127 : 126) }
}
