import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectOptions, connect, type Remote } from '../../../src/remote/client'
import { createPublisher, type Publisher, type PublisherOptions } from '../../../src/remote/publisher'
import { aboutTest, MemoryEvents, MemoryIncidents } from './sources'

/** Publishers, clients and directories of one test, and their end. */
export class Rig {
  readonly incidents = new MemoryIncidents()
  readonly events = new MemoryEvents()
  #directory: string | undefined
  readonly #endings: (() => unknown)[] = []

  async directory(): Promise<string> {
    this.#directory ??= await mkdtemp(join(tmpdir(), 'flog-remote-'))
    return this.#directory
  }

  async publisher(options: Partial<PublisherOptions> = {}): Promise<Publisher> {
    const keys = join(await this.directory(), 'keys')
    const { incidents, events } = this
    const publisher = await createPublisher({ incidents, events, about: () => aboutTest(), keys, ...options })
    this.#endings.push(() => publisher.close())
    return publisher
  }

  async connect(url: string, options: ConnectOptions = {}): Promise<Remote> {
    const remote = await connect(url, { backoff: { firstMs: 5, maxMs: 20 }, ...options })
    this.#endings.push(() => remote.close())
    return remote
  }

  /** Something else to end, before what was made earlier. */
  onEnd(ending: () => unknown): void {
    this.#endings.push(ending)
  }

  async end(): Promise<void> {
    for (const ending of this.#endings.splice(0).reverse()) await ending()
    if (this.#directory !== undefined) await rm(this.#directory, { recursive: true, force: true })
    this.#directory = undefined
  }
}

/** Resolves once the condition holds; what it waits for happens in other turns of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1))
}

/** The first `count` items. */
export async function take<T>(items: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = []
  if (count === 0) return taken
  for await (const item of items) {
    taken.push(item)
    if (taken.length === count) break
  }
  return taken
}
