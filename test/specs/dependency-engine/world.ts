import type { Decision } from '../../../src/collector/engine/config'
import { BounceError, MissingError, UninstallError } from '../../../src/collector/engine/errors'
import { findCycle } from '../../../src/collector/engine/graph'
import type { Manifold, PartRef, PartWorker, StartContext } from '../../../src/collector/engine/part'
import type { PartReport } from '../../../src/collector/engine/report'
import { type Deferred, deferred } from '../../../src/collector/engine/workers'
import { Rig, settle } from './rig'

export type StartMode = 'at once' | 'slowly' | 'until aborted' | 'deaf' | 'throws' | 'misses'
export type EndKind = 'completes' | 'fails' | 'bounces' | 'misses' | 'uninstalls' | 'is fatal'
export type Deciding = Decision['action'] | 'throws' | 'late' | 'never'

/** What is at hand of one part, over all of its versions. */
class Puppet {
  mode: StartMode = 'at once'
  obeys = true
  live = 0
  /** Of the worker that is alive, or was last. */
  worker = 0
  ended: Deferred | undefined
  /** Its last run ended in a way after which it is not started by itself. */
  rests = false
  /** Workers of its inputs that its last start was given. */
  given: Readonly<Record<string, number>> = {}
  /** Its version, and its inputs, when it was last started. */
  version: Manifold | undefined
  uses: readonly string[] = []
  accepted = 0
  gone = 0
  readonly waiting: Array<() => void> = []
}

/** An engine with parts that misbehave, and what is known about it from outside. */
export class World {
  readonly rig: Rig
  readonly puppets = new Map<string, Puppet>()
  readonly installed = new Map<string, Manifold>()
  deciding: Deciding = 'restart'
  answered = false
  /** Parts that were told to stop while somebody still needed them. */
  readonly taken: string[] = []
  #workers = 0

  constructor() {
    this.rig = new Rig({
      startTimeoutMs: 400,
      stopTimeoutMs: 300,
      decisionTimeoutMs: 500,
      backoffFactor: 1.5,
      onError: (part) => this.#decide(part),
      metrics: {
        started: (part) => void this.puppet(part).accepted++,
        ended: (part, _, ranMs) => void (ranMs !== undefined && this.puppet(part).gone++),
      },
    })
    const answer = () => {
      this.answered = true
    }
    this.rig.engine.wait().then(answer, answer)
  }

  puppet(name: string): Puppet {
    const puppet = this.puppets.get(name) ?? new Puppet()
    this.puppets.set(name, puppet)
    return puppet
  }

  /** What the engine has to say to a part that is installed or replaced. */
  refusal(name: string, manifold: Manifold, replace: boolean): string | undefined {
    if (this.rig.engine.report().state !== 'started') return 'FLOG_ENGINE_STOPPING'
    const known = this.rig.engine.report().manifolds[name]
    if ((known !== undefined && !isGone(known)) !== replace) {
      return replace ? 'FLOG_ENGINE_UNKNOWN' : 'FLOG_ENGINE_INSTALLED'
    }
    const others = this.#presentManifolds()
    return findCycle({ ...others, [name]: manifold }) === undefined ? undefined : 'FLOG_ENGINE_CYCLE'
  }

  manifold(name: string, inputs: readonly string[], soft: readonly string[]): Manifold {
    const refs = (names: readonly string[]): PartRef[] => names.map((input) => ({ name: input }))
    return { inputs: refs(inputs), soft: refs(soft), start: (context) => this.#start(name, context) }
  }

  async end(name: string, kind: EndKind): Promise<void> {
    const puppet = this.puppet(name)
    if (puppet.live === 0) return
    puppet.rests = kind === 'completes' || kind === 'misses'
    if (kind === 'completes') puppet.ended?.resolve()
    else puppet.ended?.reject(endings[kind]())
    await settle()
  }

  /** Everybody behaves from now on, and what hung goes on. */
  heal(): void {
    this.deciding = 'restart'
    for (const puppet of this.puppets.values()) {
      puppet.mode = 'at once'
      puppet.obeys = true
      for (const go of puppet.waiting.splice(0)) go()
    }
    for (const [name, puppet] of this.puppets) {
      const state = this.rig.engine.report().manifolds[name]?.state
      if (puppet.live > 0 && state !== 'started') puppet.ended?.resolve()
    }
  }

  #presentManifolds(): Record<string, Manifold> {
    const parts = Object.entries(this.rig.engine.report().manifolds).filter(([, part]) => !isGone(part))
    return Object.fromEntries(
      parts.map(([name, { inputs, soft }]) => [name, this.manifold(name, inputs, soft)]),
    )
  }

  async #start(name: string, context: StartContext): Promise<PartWorker<unknown>> {
    const puppet = this.puppet(name)
    const own = this.#inputsOf(name)
    puppet.rests = false
    puppet.version = this.installed.get(name)
    puppet.uses = own
    puppet.given = Object.fromEntries(
      own.map((input) => [input, context.maybe<number>({ name: input }) ?? 0]),
    )
    const { mode } = puppet
    if (mode === 'throws') throw new Error('a start that fails')
    if (mode === 'misses') {
      puppet.rests = true
      throw new MissingError('a start that misses something')
    }
    if (mode === 'slowly') await new Promise<void>((resolve) => void this.rig.clock.after(50, resolve))
    if (mode === 'deaf') await new Promise<void>((resolve) => puppet.waiting.push(resolve))
    if (mode === 'until aborted') {
      await new Promise((_, reject) =>
        context.signal.addEventListener('abort', () => reject(context.signal.reason)),
      )
    }
    return this.#worker(name, puppet)
  }

  #inputsOf(name: string): readonly string[] {
    const { inputs = [], soft = [] } = this.installed.get(name) ?? {}
    return [...inputs, ...soft].map((ref) => ref.name)
  }

  #worker(name: string, puppet: Puppet): PartWorker<unknown> {
    const ended = deferred()
    puppet.live++
    puppet.worker = ++this.#workers
    puppet.ended = ended
    const gone = () => void puppet.live--
    ended.promise.then(gone, gone)
    const kill = () => {
      if (this.rig.engine.report().state === 'stopping') this.#checkFree(name, puppet)
      if (puppet.obeys) ended.resolve()
    }
    return { kill, wait: () => ended.promise, output: puppet.worker }
  }

  /** In an end in order only what was given up may still use it; a version that was replaced is not kept for anybody. */
  #checkFree(name: string, puppet: Puppet): void {
    if (puppet.version !== this.installed.get(name)) return
    const { manifolds } = this.rig.engine.report()
    for (const [other, { live, uses }] of this.puppets) {
      const isUser = live > 0 && uses.includes(name) && manifolds[other]?.state !== 'abandoned'
      if (isUser) this.taken.push(`${name}, although ${other} uses it`)
    }
  }

  #decide(part: string): Decision | Promise<Decision> {
    const { deciding } = this
    if (deciding === 'throws') throw new Error('cannot decide')
    if (deciding === 'never') return new Promise(() => {})
    if (deciding === 'late') {
      return new Promise((resolve) => void this.rig.clock.after(100, () => resolve({ action: 'retry' })))
    }
    this.puppet(part).rests = deciding === 'continue'
    return { action: deciding }
  }
}

/** One that was killed while it was abandoned is there until its worker is gone. */
function isGone({ killed, state }: PartReport): boolean {
  return killed === true && state === 'stopped'
}

const endings: Readonly<Record<Exclude<EndKind, 'completes'>, () => Error>> = {
  fails: () => new Error('a worker that fails'),
  bounces: () => new BounceError(),
  misses: () => new MissingError('a worker that misses something'),
  uninstalls: () => new UninstallError(),
  'is fatal': () => new Error('fatal'),
}
