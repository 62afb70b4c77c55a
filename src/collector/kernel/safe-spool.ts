import { FlogError, messageOf } from '../../base/errors'
import { type Leavings, Spool, type SpoolOptions } from './spool'

export interface SafeSpoolOptions extends Omit<SpoolOptions, 'onFailure'> {
  /** Is told of whatever is wrong with the spool. */
  readonly onTrouble: (error: FlogError) => void
  readonly onWorks: () => void
  /** Another process has it: nothing that was written is there any more. */
  readonly onLeaving: () => void
}

/** A spool that is there or not, and never throws: whoever reports an error must not suffer from one of the disk. */
export class SafeSpool {
  readonly #options: SafeSpoolOptions | undefined
  readonly #spool: Spool | undefined
  /** False while another process has it. */
  #mayWrite = true

  /** @param options undefined where there is none */
  constructor(options: SafeSpoolOptions | undefined) {
    this.#options = options
    this.#spool = options && new Spool({ ...options, onFailure: (cause) => this.#failed(cause) })
  }

  get isThere(): boolean {
    return this.#spool !== undefined
  }

  /** @returns false when it cannot be had now */
  async open(adopt: (leavings: Leavings) => void): Promise<boolean> {
    try {
      await this.#spool?.open((leavings) => {
        this.#mayWrite = true
        adopt(leavings)
        this.#tellDamage(leavings)
      })
      return true
    } catch (cause) {
      if (FlogError.is(cause, 'FLOG_KERNEL_SPOOL_LOCKED')) this.#leave()
      this.#failed(cause)
      return false
    }
  }

  /** Undefined where there is no spool, or it does not take it. */
  use<T>(use: (spool: Spool) => T): T | undefined {
    if (this.#spool === undefined || !this.#mayWrite) return undefined
    try {
      const result = use(this.#spool)
      this.#options?.onWorks()
      return result
    } catch (cause) {
      this.#failed(cause)
      return undefined
    }
  }

  async close(): Promise<void> {
    try {
      await this.#spool?.close()
    } catch (cause) {
      this.#failed(cause)
    }
  }

  #leave(): void {
    this.use((spool) => spool.leave())
    this.#mayWrite = false
    this.#options?.onLeaving()
  }

  #tellDamage({ damagedLines, tornLines }: Leavings): void {
    if (damagedLines + tornLines === 0) return
    const what = `${damagedLines} damaged lines and ${tornLines} torn ones were passed over in the spool`
    const details = { damagedLines, tornLines }
    this.#options?.onTrouble(new FlogError('FLOG_KERNEL_SPOOL_DAMAGED', what, { details }))
  }

  #failed(cause: unknown): void {
    const what = `errors cannot be kept in the spool: ${messageOf(cause)}`
    const error = FlogError.is(cause) ? cause : new FlogError('FLOG_KERNEL_SPOOL_FAILED', what, { cause })
    this.#options?.onTrouble(error)
  }
}
