import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Random } from '../../../src/base/random'
import type { ErrorRow, SeenEvent } from '../../../src/collector/kernel/event'
import type { Forward } from '../../../src/collector/kernel/forwarder'
import { Kernel } from '../../../src/collector/kernel/kernel'
import { MetricsTable } from '../../../src/collector/kernel/metrics'
import type { KernelOptions } from '../../../src/collector/kernel/options'
import type { Sink } from '../../../src/collector/kernel/sinks'
import { FakeClock } from '../../remote/support/fake-clock'

/** A central error log that is there or is not, and keeps what it was sent. */
export class Central implements Forward {
  isDown = false
  readonly batches: (readonly ErrorRow[])[] = []

  async send(batch: readonly ErrorRow[]): Promise<readonly string[]> {
    if (this.isDown) throw new Error('central is down')
    this.batches.push(batch)
    return batch.map(({ id }) => id)
  }

  get rows(): readonly ErrorRow[] {
    return this.batches.flat()
  }
}

export interface Rig {
  readonly kernel: Kernel
  readonly clock: FakeClock
  readonly central: Central
  readonly metrics: MetricsTable
  /** What was shown, as JSON was parsed. */
  readonly lines: string[]
}

let count = 0

/** Unguessable is not needed; different each time is. */
export const countingRandom: Random = {
  bytes: (length) => {
    const bytes = Buffer.alloc(length)
    bytes.writeUInt32BE(++count, length - 4)
    return bytes
  },
  fraction: () => 0.5,
}

/** A kernel whose clock is turned by hand, with a central error log in this process. */
export function newRig(options: Partial<KernelOptions> = {}, sinks: readonly Sink[] = []): Rig {
  const clock = new FakeClock()
  const central = new Central()
  const metrics = new MetricsTable()
  const lines: string[] = []
  const write = (line: string) => void lines.push(line)
  const defaults = { node: 'one', forward: central, foldMs: 0, clock, metrics, write, random: countingRandom }
  const kernel = new Kernel({ ...defaults, ...options })
  kernel.start(sinks)
  const rig = { kernel, clock, central, metrics, lines }
  rigs.push(rig)
  return rig
}

export function parsedLines({ lines }: Rig): readonly ErrorRow[] {
  return lines.map((line) => JSON.parse(line) as ErrorRow)
}

/** Lets everything happen that waits for nothing but its turn. */
export async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** Until something is so that real input and output brings about, while time goes on. */
export async function until({ clock }: Pick<Rig, 'clock'>, isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(100)
  }
}

/** The lines of a spool, in the order in which they were written. */
export function spoolLines(spool: string): readonly string[] {
  const names = existsSync(spool) ? readdirSync(spool).sort() : []
  return names.flatMap((name) => readFileSync(join(spool, name), 'utf8').split('\n').filter(Boolean))
}

/** The rows that are written in a spool, acknowledged or not. */
export function spoolRows(spool: string): readonly ErrorRow[] {
  return spoolLines(spool)
    .map((line) => JSON.parse(line) as ErrorRow)
    .filter(({ id }) => id !== undefined)
}

/** A sink that keeps what it gets. */
export class KeepingSink implements Sink {
  readonly name = 'kept'
  readonly folded: boolean
  readonly events: SeenEvent[] = []

  constructor(folded = false) {
    this.folded = folded
  }

  async write(batch: readonly SeenEvent[]): Promise<void> {
    this.events.push(...batch)
  }
}

const directories: string[] = []
const rigs: Rig[] = []

/** Stops a kernel, whose time goes on meanwhile. */
export async function stop({ kernel, clock }: Pick<Rig, 'kernel' | 'clock'>): Promise<void> {
  let isStopped = false
  void kernel.stop({ flushMs: 100 }).then(() => {
    isStopped = true
  })
  while (!isStopped) {
    await turns()
    clock.advance(100)
  }
}

/** After each test: kernels hold files open. */
export async function stopKernels(): Promise<void> {
  for (const rig of rigs.splice(0)) await stop(rig)
  removeDirectories()
}

export function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'kernel-'))
  directories.push(directory)
  return directory
}

function removeDirectories(): void {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
}
