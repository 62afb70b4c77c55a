import { constants } from 'node:os'
import { type Clock, SystemClock } from '../../src/base/clock'
import { Output } from './output'
import { type ColorChoice, createStyle, wantsColor } from './style'
import type { ExitCode, Surroundings } from './verb'

/** A terminal that closes is an end like the others: nothing is left half-done. */
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The process around a verb: its streams and its signals. */
export class Session {
  readonly out: Output
  readonly #abort = new AbortController()
  readonly #clock: Clock = new SystemClock()
  #signal: NodeJS.Signals | undefined
  #outputClosed: () => void = () => process.exit(0)

  constructor() {
    this.out = new Output(process.stdout, () => this.#outputClosed())
    process.stderr.on('error', () => undefined)
    for (const signal of ENDING) process.on(signal, this.#onSignal)
  }

  get interrupted(): boolean {
    return this.#signal !== undefined
  }

  exitCodeOf(exitCode: ExitCode): ExitCode {
    return this.#signal === undefined ? exitCode : 128 + constants.signals[this.#signal]
  }

  surroundings(choice: ColorChoice): Surroundings {
    const { env } = process
    const styleFor = (isTTY: boolean) => createStyle(wantsColor({ choice, env, isTTY }))
    return {
      out: this.out,
      style: styleFor(this.out.isTTY),
      talkStyle: styleFor(process.stderr.isTTY === true),
      env,
      clock: this.#clock,
      signal: this.#abort.signal,
      interactive: this.out.isTTY && process.stdin.isTTY === true,
      streams: process,
      talk: (line) => process.stderr.write(`${line}\n`),
      takeSignals: () => this.#takeSignals(),
      onOutputClosed: (action) => {
        this.#outputClosed = action
      },
    }
  }

  /** The second one does not wait for a verb that is slow to end. */
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (this.#signal !== undefined) process.exit(128 + constants.signals[signal])
    this.#signal = signal
    this.#abort.abort()
  }

  #takeSignals(): void {
    for (const signal of ENDING) process.off(signal, this.#onSignal)
  }
}
