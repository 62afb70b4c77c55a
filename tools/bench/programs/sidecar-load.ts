import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Mode } from '../everything-on'
import { keepOnProcessor } from '../processors'
import { Connection } from './connection'

/**
 * Asks both services of `sidecar-service.ts` as fast as they answer, in turns, each turn in the other order: what else the
 * machine does slows both. The services' app threads have one processor, this process another. Prints requests a second
 * and µs of the app thread a request of each, their ratios, and whether the threads could be placed.
 */
async function main(turns: number): Promise<void> {
  const [recorded, bare] = await Promise.all([Service.start('with'), Service.start('without')])
  const isPlaced = [process.pid, recorded.pid, bare.pid].every((pid, i) =>
    keepOnProcessor(pid, i === 0 ? 1 : 0),
  )
  for (let turn = -WARM_UP_TURNS; turn < turns; turn++) {
    for (const service of turn % 2 === 0 ? [recorded, bare] : [bare, recorded]) await service.slice(turn >= 0)
  }
  recorded.end()
  bare.end()
  const figures = {
    ratio: bare.rate / recorded.rate,
    cpuRatio: recorded.cpuUs / bare.cpuUs,
    withRate: recorded.rate,
    withoutRate: bare.rate,
    withCpuUs: recorded.cpuUs,
    withoutCpuUs: bare.cpuUs,
    isPlaced: Number(isPlaced),
  }
  process.stdout.write(`${JSON.stringify(figures)}\n`)
}

const WARM_UP_TURNS = 15
const SLICE_MS = 100
/** Enough that the service is never without a request. */
const CLIENTS = 4

interface Used {
  /** Nanoseconds of the app thread. */
  readonly cpu: number
  readonly served: number
}

class Service {
  readonly #process: ChildProcess
  readonly #clients: readonly Connection[]
  #served = 0
  #ms = 0
  #cpu = 0

  private constructor(process: ChildProcess, port: number) {
    this.#process = process
    this.#clients = Array.from({ length: CLIENTS }, () => new Connection(port))
  }

  static async start(mode: Mode): Promise<Service> {
    const program = join(__dirname, 'sidecar-service.js')
    const service = spawn(process.execPath, [program, mode], { stdio: ['pipe', 'pipe', 'inherit'] })
    const ended = once(service, 'exit').then(([code]) =>
      Promise.reject(new Error(`the service ended: ${code}`)),
    )
    ended.catch(() => {})
    const [port] = (await Promise.race([once(createInterface(service.stdout), 'line'), ended])) as [string]
    return new Service(service, Number(port))
  }

  get pid(): number {
    return this.#process.pid ?? Number.NaN
  }

  /** Requests a second, over all slices that counted. */
  get rate(): number {
    return this.#served / (this.#ms / 1000)
  }

  /** Processor time of the service's app thread, µs a request. */
  get cpuUs(): number {
    return this.#cpu / 1000 / this.#served
  }

  async slice(counts: boolean): Promise<void> {
    const before = await this.#used()
    const start = performance.now()
    const end = start + SLICE_MS
    const load = async (client: Connection): Promise<void> => {
      while (performance.now() < end) await client.get('/orders')
    }
    await Promise.all(this.#clients.map(load))
    const ms = performance.now() - start
    const after = await this.#used()
    if (!counts) return
    this.#ms += ms
    this.#served += after.served - before.served
    this.#cpu += after.cpu - before.cpu
  }

  end(): void {
    for (const client of this.#clients) client.end()
    this.#process.stdin?.end()
  }

  async #used(): Promise<Used> {
    return JSON.parse((await this.#clients[0]?.get('/cpu')) ?? '') as Used
  }
}

void main(Number(process.argv[2]))
