import { formatBytes } from '../../../src/base/bytes'
import { count } from '../show/words'
import { clip } from '../terminal'
import type { ExitCode, Surroundings } from '../verb'
import { pause, untilAborted } from '../wait'
import { excerptAround } from './excerpt'
import { Load } from './load'
import type { ServiceMessage } from './messages'
import { ServiceProcess } from './service-process'

const REQUESTS_PER_SECOND = 150
/** Healthy operation before the fault: what a history looks like. */
const HEALTHY_MS = 1000
/** How long the service stays broken after the first error: customers go on failing for a while. */
const BROKEN_MS = 300
/** Between two faults, where the demo goes on. */
const CALM_MS = 30_000

type Opened = Extract<ServiceMessage, { kind: 'opened' }>
type Closed = Extract<ServiceMessage, { kind: 'closed' }>

/** Runs the service, breaks it, and shows what is left of it. */
export async function runDemo(directory: string, once: boolean, io: Surroundings): Promise<ExitCode> {
  const service = new ServiceProcess(directory)
  const demo = new Demo(service, directory, once, io)
  try {
    await demo.start()
    await demo.incident()
    if (!once) await demo.goOn()
    return 0
  } finally {
    demo.stop()
    await service.end()
  }
}

class Demo {
  readonly #service: ServiceProcess
  readonly #directory: string
  readonly #once: boolean
  readonly #io: Surroundings
  #load: Load | undefined
  #logportFile = ''

  constructor(service: ServiceProcess, directory: string, once: boolean, io: Surroundings) {
    this.#service = service
    this.#directory = directory
    this.#once = once
    this.#io = io
  }

  async start(): Promise<void> {
    const { out, style, signal, clock } = this.#io
    const { port, logportFile } = await this.#service.next('listening', signal)
    this.#logportFile = logportFile
    this.#load = new Load(port, REQUESTS_PER_SECOND, clock)
    out.line(
      `${style.bold('flog demo')}: a small shop on http://127.0.0.1:${port} (pid ${this.#service.pid}), with the recorder in it`,
    )
    out.line()
    this.#step(
      'load',
      `${REQUESTS_PER_SECOND} requests a second; everything down to trace is kept, in memory only`,
    )
    await out.flush()
    await pause(HEALTHY_MS, signal, clock)
  }

  stop(): void {
    this.#load?.stop()
  }

  /** Breaks the service, waits for the incident, shows it. */
  async incident(): Promise<void> {
    const { signal, clock, out } = this.#io
    this.#step('fault', 'orders with an expired coupon now keep their database connection')
    await out.flush()
    const brokenAt = clock.monotonic()
    const [opening, closing] = [this.#service.next('opened', signal), this.#service.next('closed', signal)]
    closing.catch(() => undefined)
    this.#service.order({ kind: 'break' })
    const opened = await opening
    this.#tellOpened(opened, clock.monotonic() - brokenAt)
    await out.flush()
    await pause(BROKEN_MS, signal, clock)
    this.#service.order({ kind: 'repair' })
    const closed = await closing
    await this.#tellClosed(closed)
  }

  /** Runs on, with a fault now and then, until it is interrupted. */
  async goOn(): Promise<void> {
    const { out, signal, clock, style } = this.#io
    out.line()
    out.line(
      style.dim(
        `The shop goes on, and breaks again every ${CALM_MS / 1000} s: try these in another terminal. End with Ctrl-C.`,
      ),
    )
    await out.flush()
    while (!signal.aborted) {
      await Promise.race([pause(CALM_MS, signal, clock), untilAborted(signal, clock)])
      if (signal.aborted) return
      out.line()
      await this.incident().catch((error: unknown) => {
        if (!signal.aborted) throw error
      })
    }
  }

  #tellOpened({ writtenMs }: Opened, afterMs: number): void {
    this.#step(
      'incident',
      `${(afterMs / 1000).toFixed(1)} s later a request fails; its log call writes the history, in ${writtenMs.toFixed(1)} ms`,
    )
  }

  async #tellClosed({ path, events, bytes }: Closed): Promise<void> {
    const { out, style } = this.#io
    this.#step('file', `${path}  (${count(events, 'event')}, ${formatBytes(bytes)})`)
    out.line()
    for (const line of await excerptAround(path, style)) out.line(this.#fitted(line))
    out.line()
    const flog = this.#io.env['npm_command'] === 'exec' ? 'npx flog' : 'flog'
    this.#step('read', `${flog} dump ${path}`)
    this.#step('list', `${flog} incidents ${this.#directory}`)
    if (this.#once) return out.flush()
    this.#step('follow', `${flog} tail ${this.#logportFile}`)
    this.#step('fetch', `${flog} fetch ${this.#logportFile} --latest --to elsewhere`)
    await out.flush()
  }

  #step(label: string, text: string): void {
    const { out, style } = this.#io
    out.line(`  ${style.key(label.padEnd(9))} ${text}`)
  }

  /** Coloured lines are left alone: cutting would cut their codes. */
  #fitted(line: string): string {
    const { out, style } = this.#io
    return style.enabled || out.columns === Number.POSITIVE_INFINITY ? line : clip(line, out.columns)
  }
}
