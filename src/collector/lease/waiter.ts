import type { Clock } from '../../base/clock'

/** Why a loop looks up. */
export type Wake = 'killed' | 'session' | 'done' | 'work'

/** Lets one loop wait for a time, or for one of the things that it was told to look out for. */
export class Waiter {
  readonly #clock: Clock
  /** What happened and was not waited for: it ends the next wait for it at once. */
  readonly #pending = new Set<Wake>()
  #waiting: { readonly wakes: readonly Wake[]; readonly end: () => void } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** What was waited for is forgotten with it, but `killed`, which lasts. */
  async wait(ms: number, wakes: readonly Wake[]): Promise<void> {
    if (!wakes.some((wake) => this.#pending.has(wake)) && ms > 0) await this.#sleep(ms, wakes)
    for (const wake of wakes) if (wake !== 'killed') this.#pending.delete(wake)
  }

  wake(why: Wake): void {
    this.#pending.add(why)
    if (this.#waiting?.wakes.includes(why)) this.#waiting.end()
  }

  forget(why: Wake): void {
    this.#pending.delete(why)
  }

  #sleep(ms: number, wakes: readonly Wake[]): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === Infinity ? undefined : this.#clock.after(ms, () => end(), { keepAlive: true })
      const end = () => {
        timer?.cancel()
        this.#waiting = undefined
        resolve()
      }
      this.#waiting = { wakes, end }
    })
  }
}
