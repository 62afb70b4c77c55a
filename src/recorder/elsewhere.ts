import { FlogError } from '../base/errors'
import type { Finished } from '../incident/finisher'

/** The other thread that finishes incidents, once there is one: incidents begin before it does. */
export class Elsewhere {
  #other: { readonly isReady: boolean; finish(path: string): Promise<Finished> } | undefined

  become(other: { readonly isReady: boolean; finish(path: string): Promise<Finished> } | undefined): void {
    this.#other = other
  }

  get isReady(): boolean {
    return this.#other?.isReady === true
  }

  async finish(path: string): Promise<Finished> {
    if (this.#other === undefined) throw new FlogError('FLOG_CLOSED', 'there is no second thread')
    return this.#other.finish(path)
  }
}
