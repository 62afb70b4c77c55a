import type { Clock, Timer } from '../../base/clock'
import type { SeenEvent } from './event'

interface Fold extends Gathered {
  repeat: number
  lastTime: number
  readonly timer: Timer
}

export interface FoldingOptions {
  readonly clock: Clock
  /** How long occurrences are gathered, from the first one on; 0 gathers nothing. */
  readonly foldMs: number
  /** Troubles that are gathered at a time; with more the oldest is passed on early. */
  readonly capacity: number
  readonly pass: (event: SeenEvent) => void
  /** Is told at once of an event that others will be gathered with. */
  readonly onBegin: (event: SeenEvent) => void
  /** Is told of one that went into it: cheaply, there may be thousands. */
  readonly onRepeat: (into: Gathered, event: SeenEvent) => void
}

/** Occurrences of one trouble. */
export interface Gathered {
  readonly first: SeenEvent
  readonly repeat: number
  readonly lastTime: number
}

/**
 * Makes one row of many occurrences of one trouble. Whole parts going down and the whole collector going down are never held
 * back; what their part reported before goes first, so that the order of a part is kept.
 */
export class Folding {
  readonly #options: FoldingOptions
  /** Oldest first. */
  readonly #folds = new Map<string, Fold>()

  constructor(options: FoldingOptions) {
    this.#options = options
  }

  push(event: SeenEvent): void {
    const { foldMs, capacity, pass } = this.#options
    if (foldMs === 0) pass(event)
    else if (isUrgent(event)) {
      this.flush(event.part)
      pass(event)
    } else if (!this.#repeats(event)) {
      const key = keyOf(event)
      const timer = this.#options.clock.after(foldMs, () => this.#close(key))
      this.#folds.set(key, { first: event, repeat: 1, lastTime: event.time, timer })
      this.#options.onBegin(event)
      const oldest = this.#folds.keys().next()
      if (this.#folds.size > capacity && oldest.done !== true) this.#close(oldest.value)
    }
  }

  /** Passes on what was gathered, of one part or of all. */
  flush(part?: string): void {
    for (const [key, { first }] of [...this.#folds]) {
      if (part === undefined || first.part === part) this.#close(key)
    }
  }

  #repeats(event: SeenEvent): boolean {
    const fold = this.#folds.get(keyOf(event))
    if (fold === undefined) return false
    fold.repeat++
    fold.lastTime = event.time
    this.#options.onRepeat(fold, event)
    return true
  }

  #close(key: string): void {
    const fold = this.#folds.get(key)
    if (fold === undefined) return
    this.#folds.delete(key)
    fold.timer.cancel()
    const { first, repeat, lastTime } = fold
    this.#options.pass({ ...first, repeat, lastTime })
  }
}

function isUrgent({ decision }: SeenEvent): boolean {
  return decision?.action === 'kill' || decision?.action === 'escalate'
}

function keyOf({ fingerprint, level, kind, decision }: SeenEvent): string {
  return `${fingerprint} ${level} ${kind} ${decision?.action ?? ''}`
}
