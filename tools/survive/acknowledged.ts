import { openSync, readFileSync, writeSync } from 'node:fs'

/**
 * What a program has logged for certain, in a form that survives its death: a file of float64, the n-th of which is the
 * time at which the call that logged event n had returned, in microseconds since the epoch. Each is written by one
 * `write(2)`: what the kernel has, no signal takes back.
 */
export class AcknowledgementWriter {
  readonly #file: number
  readonly #time = new Float64Array(1)
  readonly #bytes = new Uint8Array(this.#time.buffer)

  constructor(path: string) {
    this.#file = openSync(path, 'wx')
  }

  add(time: number): void {
    this.#time[0] = time
    writeSync(this.#file, this.#bytes)
  }
}

/** @returns the times, by number; empty where the program did not come so far */
export function readAcknowledged(path: string): Float64Array {
  const bytes = readFileSync(path)
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~7)))
}
