import type { Crc32 } from './layout'

/**
 * What reading needs from its surroundings, so that the parser runs in a browser as well: `node-engine.ts` takes it from
 * `node:zlib`, the viewer brings its own.
 */
export interface Engine {
  readonly crc32: Crc32
  /**
   * Inflates raw deflate data (RFC 1951).
   * @throws anything when the data is damaged, cut, or makes more than `maxBytes`
   */
  inflateRaw(data: Uint8Array, maxBytes: number): Uint8Array
  /** Inflates what it can of damaged data. What could not be had is zeros, or garbage. Never throws. */
  inflatePartly(data: Uint8Array, maxBytes: number): Uint8Array
}

/** Upper bounds of a reader, in bytes. Nothing of this size is allocated before as much has been read. */
export interface ReadLimits {
  readonly maxBlockBytes: number
  readonly maxMemberBytes: number
  readonly maxPlainBytes: number
  readonly salvageBytes: number
}

/** Bounds the work that a file can cause by being damaged in the right way. */
export class SalvageBudget {
  #left: number

  constructor(bytes: number) {
    this.#left = bytes
  }

  get spent(): boolean {
    return this.#left < 0
  }

  /** `bytes` were looked at for nothing. */
  charge(bytes: number): void {
    this.#left -= bytes
  }
}
