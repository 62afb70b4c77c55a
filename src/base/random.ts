/** Randomness. Whatever depends on chance takes one, so that tests can fix it. */
export interface Random {
  /** `length` unguessable bytes. */
  bytes(length: number): Uint8Array
  /** A number from 0 up to, not including, 1; for jitter, not for secrets. */
  fraction(): number
}

export const systemRandom: Random = {
  // Loaded when it is first needed: half of what loading a small logger costs would be this.
  bytes: (length) => crypto().randomFillSync(new Uint8Array(length)),
  fraction: () => Math.random(),
}

/** Lower-case hexadecimal of `length` random bytes. */
export function randomHex(random: Random, length: number): string {
  return Buffer.from(random.bytes(length)).toString('hex')
}

function crypto(): typeof import('node:crypto') {
  return require('node:crypto') as typeof import('node:crypto')
}
