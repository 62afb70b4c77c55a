import { formatBytes } from '../../../src/base/bytes'
import type { FetchProgress } from '../../../src/remote/fetch'
import type { Surroundings } from '../verb'

const BAR_CHARS = 24
const EVERY_MS = 50

/** A bar in the last line of the terminal; nothing where standard error is none. */
export class Progress {
  readonly #label: string
  readonly #io: Surroundings
  readonly #enabled: boolean
  #shownAt = Number.NEGATIVE_INFINITY
  #shown = false

  constructor(label: string, io: Surroundings) {
    this.#label = label
    this.#io = io
    this.#enabled = io.streams.stderr.isTTY === true && io.env['TERM'] !== 'dumb'
  }

  show({ received, total, resumedFrom }: FetchProgress): void {
    const now = this.#io.clock.monotonic()
    if (!this.#enabled || (now - this.#shownAt < EVERY_MS && received < total)) return
    this.#shownAt = now
    this.#shown = true
    const done = total === 0 ? 1 : received / total
    const filled = Math.round(done * BAR_CHARS)
    const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_CHARS - filled)}`
    const resumed = resumedFrom > 0 ? `, resumed at ${formatBytes(resumedFrom)}` : ''
    const text = `${this.#label}  ${bar}  ${formatBytes(received)} of ${formatBytes(total)}${resumed}`
    this.#io.streams.stderr.write(`\r${text.slice(0, (this.#io.streams.stderr.columns || 80) - 1)}\x1b[K`)
  }

  /** Takes the bar away. Idempotent. */
  clear(): void {
    if (this.#shown) this.#io.streams.stderr.write('\r\x1b[K')
    this.#shown = false
  }
}
