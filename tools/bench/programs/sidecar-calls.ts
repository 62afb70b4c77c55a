import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Mode } from '../everything-on'
import { median } from '../measure'
import { keepOnProcessor } from '../processors'

/** Has both programs of `sidecar-call.ts` log in turns, so that whatever slows the machine slows both; prints medians. */
async function main(turns: number): Promise<void> {
  const [recorded, bare] = await Promise.all([Program.start('with'), Program.start('without')])
  const results: { readonly recorded: number; readonly bare: number }[] = []
  for (let turn = -WARM_UP_TURNS; turn < turns; turn++) {
    const result = { recorded: await recorded.run(), bare: await bare.run() }
    if (turn >= 0) results.push(result)
  }
  recorded.end()
  bare.end()
  const of = (figure: (one: (typeof results)[number]) => number): number => median(results.map(figure))
  const figures = {
    ratio: of((one) => one.recorded / one.bare),
    with: of((one) => one.recorded),
    without: of((one) => one.bare),
  }
  process.stdout.write(`${JSON.stringify(figures)}\n`)
}

const WARM_UP_TURNS = 5

class Program {
  readonly #lines: AsyncIterator<string>
  readonly #tell: NodeJS.WritableStream

  private constructor(lines: AsyncIterator<string>, tell: NodeJS.WritableStream) {
    this.#lines = lines
    this.#tell = tell
  }

  static async start(mode: Mode): Promise<Program> {
    const program = join(__dirname, 'sidecar-call.js')
    const child = spawn(process.execPath, [program, mode], { stdio: ['pipe', 'pipe', 'inherit'] })
    keepOnProcessor(child.pid ?? 0, 0)
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    await lines.next()
    return new Program(lines, child.stdin)
  }

  /** Nanoseconds a call. */
  async run(): Promise<number> {
    this.#tell.write('run\n')
    const { value } = await this.#lines.next()
    return Number(value)
  }

  end(): void {
    this.#tell.end()
  }
}

void main(Number(process.argv[2]))
