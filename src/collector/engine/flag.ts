import { BounceError } from './errors'
import type { Manifold } from './part'
import { deferred } from './workers'

/** What a flag part offers: the value for as long as the part runs. */
export interface Flag {
  readonly value: boolean
}

/** A yes or no that may change. */
export interface FlagSource {
  readonly value: boolean
  /** Calls back after each change; returns what ends that. */
  onChange(listener: () => void): () => void
}

/** A yes or no that is set by hand. */
export class Switch implements FlagSource {
  readonly #listeners = new Set<() => void>()
  #value: boolean

  constructor(value = false) {
    this.#value = value
  }

  get value(): boolean {
    return this.#value
  }

  get listeners(): number {
    return this.#listeners.size
  }

  set(value: boolean): void {
    if (value === this.#value) return
    this.#value = value
    for (const listener of [...this.#listeners]) listener()
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

/** Open once it has been opened, for good. */
export class Gate implements FlagSource {
  readonly #switch = new Switch()

  get value(): boolean {
    return this.#switch.value
  }

  /** Idempotent. */
  open(): void {
    this.#switch.set(true)
  }

  onChange(listener: () => void): () => void {
    return this.#switch.onChange(listener)
  }
}

/** A part that offers a flag, and bounces itself and its dependents when the value changes. */
export function flagManifold(source: FlagSource): Manifold<Flag> {
  return {
    start: () => {
      const { promise, resolve, reject } = deferred()
      const { value } = source
      const leave = source.onChange(() => {
        if (source.value === value) return
        leave()
        reject(new BounceError(`the flag became ${source.value}`))
      })
      const kill = () => {
        leave()
        resolve()
      }
      return { kill, wait: () => promise, output: { value }, report: () => ({ value }) }
    },
  }
}

/** A part that offers a gate to those who open it and those who wait; put a `flagManifold` of the same gate before the latter. */
export function gateManifold(gate: Gate): Manifold<Gate> {
  return {
    start: () => {
      const { promise, resolve } = deferred()
      return { kill: resolve, wait: () => promise, output: gate, report: () => ({ open: gate.value }) }
    },
  }
}
