import { UNWRITTEN_BYTES } from '../base/limits'
import { BLOCK_HEAD_BYTES, isSync, readBlockHead } from './layout'

/** The opening of a file, or whole blocks, of which the file has the first `written` bytes. */
export interface UnwrittenPiece {
  readonly bytes: Uint8Array
  readonly written: number
}

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

/** Events of a piece that the file lacks; a block of which it has only a part counts. */
export function unwrittenEvents({ bytes, written }: UnwrittenPiece, sync: Uint8Array): number {
  let events = 0
  for (let at = 0; isSync(bytes, at, sync); ) {
    const head = readBlockHead(bytes, at)
    at += BLOCK_HEAD_BYTES + head.length
    if (at > written) events += head.events
  }
  return events
}
