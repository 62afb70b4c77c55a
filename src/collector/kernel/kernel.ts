import { KERNEL_ASK_MAX_MS, KERNEL_ASK_MS, KERNEL_FLUSH_MS } from '../../base/kernel-limits'
import { randomHex } from '../../base/random'
import { Ask, type AskOptions } from './ask'
import { type Decided, Decider, defaultFor } from './decider'
import {
  type Decision,
  type ErrorReport,
  KINDS,
  type Kind,
  LEVELS,
  type Level,
  reaches,
  readReport,
  rowOf,
  type SeenEvent,
  UNKNOWN_PART,
} from './event'
import { fingerprintOf } from './fingerprint'
import { Folding, type Gathered } from './folding'
import { FORWARD_PART } from './forward-queue'
import { Forwarder } from './forwarder'
import { Lanes } from './lanes'
import { LocalLog } from './local-log'
import { type KernelOptions, type KernelSettings, parseKernelOptions } from './options'
import { Plainer } from './plain'
import { type Sink, SinkQueue } from './sinks'
import { type ErrorState, ErrorStates } from './states'

/** The kernel itself, as the part that its own failures are of. */
const OWN_PART = 'kernel'
/** What sinks fail at is shown and forwarded; told to sinks it would come back, from one failing sink to the next. */
const SINKS_PART = 'kernel.sinks'
const PART_CHARS = 200
const SHUTDOWN: Decided = { decision: { action: 'kill', reason: 'shutdown' }, source: 'shutdown' }

/** What one part uses of a kernel. */
export interface PartKernel {
  report(report: Omit<ErrorReport, 'part'>): void
  ask(report: Omit<ErrorReport, 'part'>, options?: AskOptions): Promise<Decision>
}

/**
 * Every error of every part of a node comes here: it is shown, counted, forwarded, and decided about, so that parts do not
 * decide alone.
 *
 * ```
 *  report, ask ─> plain, capped, redacted ─> fingerprint, state ─> stderr       in the call, whatever else is stuck
 *                                                                    │
 *              ask: policies ─> decision ─> limit of restarts        │
 *                                   └────────────────────────────────┤          one FIFO a part: who waits for a decision
 *                                                                    ▼          holds up its part, and no other
 *                                            sinks <───────────── in order
 *                                            folded sinks, central error log <─ repetitions folded for 10 s
 * ```
 * What is for the central error log is in the spool when the call is through, decided or not, folded or not.
 * It starts before the engine and stops after it.
 */
export class Kernel implements PartKernel {
  readonly #settings: KernelSettings
  readonly #plainer: Plainer
  readonly #states: ErrorStates
  readonly #local: LocalLog
  readonly #decider: Decider
  readonly #lanes: Lanes
  readonly #folding: Folding
  readonly #forwarder: Forwarder | undefined
  readonly #asks = new Set<Ask>()
  /** The last question of each part that waits: the next one is put to the policies after it. */
  readonly #turns = new Map<string, Promise<void>>()
  readonly #incarnation: string
  #sinks: readonly SinkQueue[] = []
  #count = 0
  #stopping: Promise<void> | undefined
  #isStopped = false

  /** @throws FlogError FLOG_OPTION_INVALID naming the option */
  constructor(options: KernelOptions) {
    const settings = parseKernelOptions(options)
    const { clock, random, policies, intensity, periodMs, foldMs, queue } = settings
    this.#settings = settings
    this.#plainer = new Plainer(settings.redact)
    this.#states = new ErrorStates(clock, settings.windowMs)
    this.#local = new LocalLog(settings)
    this.#incarnation = randomHex(random, 8)
    const onFailure = (error: unknown) => this.report({ part: OWN_PART, error })
    this.#decider = new Decider({ clock, policies, intensity, periodMs, onFailure })
    this.#lanes = new Lanes(queue, (event) => this.#pass(event))
    this.#folding = new Folding({
      ...{ clock, foldMs, capacity: queue },
      pass: (event) => this.#passFolded(event),
      onBegin: (event) => this.#ahead(event),
      onRepeat: (into, event) => this.#repeated(into, event),
    })
    this.#forwarder = this.#newForwarder()
  }

  /** Shows, counts and forwards. Never throws, never waits. After the stop it writes to stderr, whatever the level. */
  report(report: ErrorReport): void {
    try {
      this.#reported(report)
    } catch {
      // There is nothing left that could be done about it, and whoever reports must not suffer from it.
    }
  }

  /**
   * The same, and asks what to do. Answered by the first policy that knows, else by level: errors restart their part, all else
   * goes on; after `timeoutMs`, and when a policy hangs, likewise; `kill` when the kernel stops.
   * @throws FlogError FLOG_ABORTED when `signal` is: it is shown and forwarded all the same
   */
  async ask(report: ErrorReport, options: AskOptions = {}): Promise<Decision> {
    const { event, state } = this.#see({ kind: 'action', ...readReport(report) })
    if (this.#isStopped) {
      this.#local.lastResort({ ...event, decision: SHUTDOWN.decision })
      return this.#noted(event, SHUTDOWN).decision
    }
    this.#ahead(event)
    const place = this.#lanes.hold(event)
    const ask: Ask = new Ask({
      clock: this.#settings.clock,
      timeoutMs: waitOf(options.timeoutMs),
      signal: options.signal,
      inTime: () => ({ decision: defaultFor(event.level), source: 'timeout' }),
      onSettled: (decided) => {
        const final = decided && this.#noted(event, this.#decider.limited(event.part, decided))
        this.#lanes.release(place, final ? { ...event, decision: this.#told(final.decision) } : event)
        return final
      },
    })
    this.#asks.add(ask)
    this.#takeTurn(event.part, ask, async () => ask.settle(await this.#decider.ask(event, state, ask.signal)))
    return ask.answer.finally(() => this.#asks.delete(ask))
  }

  /** Error states of one part, or of all, the last seen last. */
  state(part?: string): readonly ErrorState[] {
    return this.#states.list(part)
  }

  /** For a part that is to know no other. */
  scoped(part: string): PartKernel {
    return {
      report: (report) => this.report({ ...readReport(report), part }),
      ask: (report, options) => this.ask({ ...readReport(report), part }, options),
    }
  }

  /** Begins to forward, and to tell the sinks; what is reported before is forwarded, and not told to them. */
  start(sinks: readonly Sink[] = []): void {
    const { clock, queue } = this.#settings
    const onFailure = (error: unknown) => this.report({ part: SINKS_PART, error })
    this.#sinks = sinks.map((sink) => new SinkQueue({ sink, clock, capacity: queue, onFailure }))
    this.#forwarder?.start()
  }

  /**
   * Answers all who wait with `kill`, and brings out what is there, within `flushMs`; the rest stays in the spool. Idempotent,
   * never rejects: to stop is no error.
   */
  stop(options: { readonly flushMs?: number } = {}): Promise<void> {
    this.#stopping ??= this.#stop(options.flushMs ?? KERNEL_FLUSH_MS)
    return this.#stopping
  }

  /** For a process that is about to end: what is to be forwarded goes into the spool, in this call. Never throws. */
  flushSync(): void {
    this.#lanes.flush()
    this.#folding.flush()
    this.#local.flush()
    this.#forwarder?.flushSync()
  }

  async #stop(flushMs: number): Promise<void> {
    for (const ask of [...this.#asks]) ask.settle(SHUTDOWN)
    this.#isStopped = true
    this.#lanes.flush()
    this.#folding.flush()
    this.#local.flush()
    await Promise.allSettled([
      ...this.#sinks.map((sink) => sink.close(flushMs)),
      this.#forwarder?.close(flushMs),
    ])
  }

  #reported(report: ErrorReport): void {
    const { event } = this.#see(readReport(report))
    if (this.#isStopped) this.#local.lastResort(event)
    else {
      if (this.#lanes.holds(event.part)) this.#ahead(event)
      this.#lanes.push(event)
    }
  }

  /** All that is done in the call. */
  #see(report: ErrorReport): { readonly event: SeenEvent; readonly state: ErrorState } {
    const seen = this.#eventOf(report)
    const { part, kind, level } = seen
    this.#settings.metrics.add('kernel_errors_total', { part, level, kind })
    const state = this.#states.note(seen)
    const event = this.#louder(seen, state)
    if (!this.#isStopped) this.#local.write(event)
    return { event, state }
  }

  #eventOf(report: ErrorReport): SeenEvent {
    const { clock, node } = this.#settings
    const { error: thrown, work, noForward } = report
    const part = typeof report.part === 'string' ? report.part.slice(0, PART_CHARS) : UNKNOWN_PART
    const kind = known<Kind>(report.kind, KINDS, 'error')
    const level = known<Level>(report.level, LEVELS, kind === 'info' ? 'info' : 'error')
    const error = this.#plainer.error(thrown)
    const isText = typeof thrown === 'string'
    const time = clock.now()
    this.#count++
    return {
      ...{ id: `${this.#incarnation}-${this.#count.toString(36)}`, node, part, kind, level },
      ...{ time, lastTime: time, repeat: 1, message: error.message },
      fingerprint: fingerprintOf(part, error.message, error),
      ...(!isText && { error }),
      ...(work !== undefined && { work: this.#plainer.value(work) }),
      noForward: noForward === true || part === FORWARD_PART,
    }
  }

  #louder(event: SeenEvent, state: ErrorState): SeenEvent {
    const { louder } = this.#settings
    if (louder === undefined || state.countInWindow <= louder.after) return event
    return reaches(event.level, louder.level) ? event : { ...event, level: louder.level }
  }

  #noted(event: SeenEvent, decided: Decided): Decided {
    const { action } = decided.decision
    this.#states.decided(event, action)
    this.#settings.metrics.add('kernel_decision_total', { action, source: decided.source })
    return decided
  }

  /** Policies answer in words of their own. */
  #told(decision: Decision): Decision {
    return { ...decision, reason: this.#plainer.text(decision.reason) }
  }

  /** One part's questions are put to the policies one after the other: each sees what the ones before came to. */
  #takeTurn(part: string, ask: Ask, put: () => Promise<void>): void {
    const over = new Promise<void>((resolve) => ask.signal.addEventListener('abort', () => resolve()))
    const before = this.#turns.get(part)
    const settled = ask.signal.aborted ? Promise.resolve() : over
    const turn = Promise.all([before, settled]).then(() => {
      if (this.#turns.get(part) === turn) this.#turns.delete(part)
    })
    this.#turns.set(part, turn)
    void Promise.resolve(before).then(() => (ask.signal.aborted ? undefined : put()))
  }

  #pass(event: SeenEvent): void {
    this.#tellSinks(event, false)
    this.#folding.push(event)
  }

  #passFolded(event: SeenEvent): void {
    this.#tellSinks(event, true)
    if (this.#isForwarded(event)) this.#forwarder?.push(rowOf(event))
  }

  /** What waits for a decision, or for more of its kind, is in the spool from now on. */
  #ahead(event: SeenEvent): void {
    if (this.#isForwarded(event)) this.#forwarder?.begin(rowOf(event))
  }

  #repeated({ first, repeat, lastTime }: Gathered, event: SeenEvent): void {
    this.#forwarder?.grow(first.id, event.id, repeat, () => rowOf({ ...first, repeat, lastTime }))
  }

  #isForwarded({ noForward, level }: SeenEvent): boolean {
    return !noForward && reaches(level, this.#settings.forwardLevel)
  }

  #tellSinks(event: SeenEvent, isFolded: boolean): void {
    if (event.part === SINKS_PART || this.#sinks.some((sink) => sink.isInCall)) return
    for (const sink of this.#sinks) if (sink.isFolded === isFolded) sink.push(event)
  }

  #newForwarder(): Forwarder | undefined {
    const { forward, spool, spoolBytes, queue, clock, random, metrics, node } = this.#settings
    if (forward === undefined) return undefined
    return new Forwarder({
      ...{ forward, node, capacity: queue, clock, random, metrics },
      spool: spool === undefined ? undefined : { directory: spool, maxBytes: spoolBytes },
      onTrouble: (error) => this.report({ part: FORWARD_PART, level: 'warning', error }),
    })
  }
}

function waitOf(ms: number = KERNEL_ASK_MS): number {
  return Number.isNaN(ms) ? KERNEL_ASK_MS : Math.min(Math.max(0, ms), KERNEL_ASK_MAX_MS)
}

function known<T extends string>(value: unknown, all: readonly T[], otherwise: T): T {
  return all.find((one) => one === value) ?? otherwise
}
