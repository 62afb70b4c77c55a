import { UNWRITTEN_BYTES } from '../base/limits'

/** Memory for what the disk refuses, shared by all incidents of a recorder: a dead disk must not cost the app its own. */
export class UnwrittenMemory {
  readonly #limit: number
  #bytes = 0

  constructor(limit = UNWRITTEN_BYTES) {
    this.#limit = limit
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes
  }

  hasRoomFor(bytes: number): boolean {
    return this.#bytes + bytes <= this.#limit
  }

  take(bytes: number): void {
    this.#bytes += bytes
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes
  }
}
