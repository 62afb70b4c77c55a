import { Flog } from './command'

/** A process that publishes what is written to its standard input. */
export class Published {
  readonly directory: string
  readonly #recorder: Flog
  logport = ''

  constructor(directory: string, args: readonly string[] = []) {
    this.directory = directory
    this.#recorder = new Flog(['record', '--publish', ...args, '-d', directory, '--service', 'shop'])
  }

  async start(): Promise<this> {
    this.logport = (await this.#recorder.until(/flog:\/\/\S+/))[0]
    return this
  }

  /** Resolves when the lines are recorded. */
  async log(...lines: string[]): Promise<void> {
    this.#recorder.child.stdin.write(`${lines.join('\n')}\n`)
    await this.#recorder.until(new RegExp(`^${lines.at(-1)}$`, 'm'))
  }

  async end(): Promise<void> {
    this.#recorder.child.stdin.end()
    await this.#recorder.ended
  }

  async kill(): Promise<void> {
    this.#recorder.kill('SIGKILL')
    await this.#recorder.ended
  }
}
