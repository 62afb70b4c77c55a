/** What a part of a program is to the engine: a name, inputs, and a function that starts it. */

/** Something that runs until it ends by itself or is told to. */
export interface Worker {
  /** Tells it to stop. Does not wait, and may be called more than once. */
  kill(reason?: unknown): void
  /** Resolves when it has ended in order, rejects with what it ended of. Every call gives the same answer. */
  wait(): Promise<void>
  /** What the engine's report shows of it; plain data. */
  report?(): unknown
}

/** The name of a part, with the type of what it offers to others. */
export interface PartRef<out T = unknown> {
  readonly name: string
  /**
   * Where it is there, `get` demands an output, and one that is accepted. Without it a part is asked for its existence, and
   * its output is given as it is.
   */
  accepts?(output: unknown): output is T
  /** Never there: it only carries the type. */
  readonly _t?: T
}

export interface StartContext {
  readonly name: string
  /** 1 for the first start of this part, one more for each further one. */
  readonly attempt: number
  /** Aborted when the start is no longer wanted, when the worker is told to stop, and when it has ended. */
  readonly signal: AbortSignal
  /**
   * What an input offered when this start was decided. Serves until `start` settles.
   * @throws MissingError for a part that is not declared, not running or not exposed; FLOG_ENGINE_OUTPUT for an output that the
   * reference does not accept; FLOG_ENGINE_EXPIRED later
   */
  get<T>(part: PartRef<T>): T
  /** The same, and undefined for an input that is not running or not exposed. */
  maybe<T>(part: PartRef<T>): T | undefined
}

/** A worker that may offer something to the parts that have it for an input. */
export type PartWorker<T> = Worker & { readonly output?: T }

export interface Manifold<out T = unknown> {
  /** Start is called only while all of them run. */
  readonly inputs?: readonly PartRef[]
  /** Start is called with or without them, and again whenever one comes or goes. */
  readonly soft?: readonly PartRef[]
  start(context: StartContext): Promise<PartWorker<T>> | PartWorker<T>
  /** Turns an error of start or worker into what the engine shall take it for; undefined is a part that completed. */
  filter?(error: unknown): unknown
  /** Milliseconds; `Infinity` for no limit. */
  readonly startTimeoutMs?: number
  /** Milliseconds after which a part that was told to stop counts as abandoned; `Infinity` for no limit. */
  readonly stopTimeoutMs?: number
}

/** @param accepts see {@link PartRef.accepts} */
export function partRef<T = void>(name: string, accepts?: (output: unknown) => output is T): PartRef<T> {
  return accepts === undefined ? { name } : { name, accepts }
}
