import { randomFillSync } from 'node:crypto'

/** Randomness. Whatever depends on chance takes one, so that tests can fix it. */
export interface Random {
  /** `length` unguessable bytes. */
  bytes(length: number): Uint8Array
  /** A number from 0 up to, not including, 1; for jitter, not for secrets. */
  fraction(): number
}

export const systemRandom: Random = {
  bytes: (length) => randomFillSync(new Uint8Array(length)),
  fraction: () => Math.random(),
}

/** Lower-case hexadecimal of `length` random bytes. */
export function randomHex(random: Random, length: number): string {
  return Buffer.from(random.bytes(length)).toString('hex')
}
