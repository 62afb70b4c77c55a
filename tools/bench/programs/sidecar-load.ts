import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { median } from '../measure'

/**
 * Asks both services of `sidecar-service.ts` as fast as they answer, in turns, each turn in the other order: what else the
 * machine does slows both. Prints medians: requests a second and µs of the app thread a request of each, and the ratios
 * within a turn.
 */
async function main(turns: number): Promise<void> {
  const [recorded, bare] = await Promise.all([Service.start('with'), Service.start('without')])
  const results: { readonly recorded: Slice; readonly bare: Slice }[] = []
  for (let turn = -WARM_UP_TURNS; turn < turns; turn++) {
    const first = await (turn % 2 === 0 ? recorded : bare).slice()
    const second = await (turn % 2 === 0 ? bare : recorded).slice()
    const result = turn % 2 === 0 ? { recorded: first, bare: second } : { recorded: second, bare: first }
    if (turn >= 0) results.push(result)
  }
  recorded.end()
  bare.end()
  const of = (figure: (one: (typeof results)[number]) => number): number => median(results.map(figure))
  const figures = {
    ratio: of((one) => one.bare.rate / one.recorded.rate),
    cpuRatio: of((one) => one.recorded.cpuUs / one.bare.cpuUs),
    withRate: of((one) => one.recorded.rate),
    withoutRate: of((one) => one.bare.rate),
    withCpuUs: of((one) => one.recorded.cpuUs),
    withoutCpuUs: of((one) => one.bare.cpuUs),
  }
  process.stdout.write(`${JSON.stringify(figures)}\n`)
}

const WARM_UP_TURNS = 2
const SLICE_MS = 500
/** Enough that the service is never without a request, few enough that this process costs less than the service. */
const CLIENTS = 4

interface Slice {
  /** Requests a second. */
  readonly rate: number
  /** Processor time of the service's app thread, µs a request. */
  readonly cpuUs: number
}

class Service {
  readonly #process: ChildProcess
  readonly #port: number
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CLIENTS })

  private constructor(process: ChildProcess, port: number) {
    this.#process = process
    this.#port = port
  }

  static async start(mode: 'with' | 'without'): Promise<Service> {
    const program = join(__dirname, 'sidecar-service.js')
    const service = spawn(process.execPath, [program, mode], { stdio: ['pipe', 'pipe', 'inherit'] })
    const ended = once(service, 'exit').then(([code]) =>
      Promise.reject(new Error(`the service ended: ${code}`)),
    )
    ended.catch(() => {})
    const [port] = (await Promise.race([once(createInterface(service.stdout), 'line'), ended])) as [string]
    return new Service(service, Number(port))
  }

  async slice(): Promise<Slice> {
    const before = await this.#used()
    const start = performance.now()
    const end = start + SLICE_MS
    const client = async (): Promise<void> => {
      while (performance.now() < end) await this.#ask('/orders')
    }
    await Promise.all(Array.from({ length: CLIENTS }, client))
    const seconds = (performance.now() - start) / 1000
    const after = await this.#used()
    const served = after.served - before.served
    return { rate: served / seconds, cpuUs: (after.cpu - before.cpu) / 1000 / served }
  }

  end(): void {
    this.#agent.destroy()
    this.#process.stdin?.end()
  }

  async #used(): Promise<{ readonly cpu: number; readonly served: number }> {
    return JSON.parse(await this.#ask('/cpu')) as { readonly cpu: number; readonly served: number }
  }

  #ask(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const asking = get({ host: '127.0.0.1', port: this.#port, path, agent: this.#agent }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => resolve(Buffer.concat(chunks).toString()))
      })
      asking.on('error', reject)
    })
  }
}

void main(Number(process.argv[2]))
