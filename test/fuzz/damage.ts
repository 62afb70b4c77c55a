/** Ways in which a file is damaged at one place: what a disk, a copy that broke off, or an editor does. */
export const DAMAGES: Readonly<Record<string, (bytes: Uint8Array, at: number) => Uint8Array>> = {
  'a bit is wrong': (bytes, at) => withByte(bytes, at, (byte) => byte ^ (1 << (at % 8))),
  'a byte is 0': (bytes, at) => withByte(bytes, at, () => 0),
  'a byte is 255': (bytes, at) => withByte(bytes, at, () => 255),
  'it ends': (bytes, at) => bytes.slice(0, at),
  'it begins': (bytes, at) => bytes.slice(at),
  'a byte is missing': (bytes, at) => joined(bytes.subarray(0, at), bytes.subarray(at + 1)),
  'there is a byte more': (bytes, at) => joined(bytes.subarray(0, at), [at % 256], bytes.subarray(at)),
  '64 bytes are zeros': (bytes, at) => {
    const target = bytes.slice()
    return target.fill(0, at, at + 64)
  },
  '200 bytes come twice': (bytes, at) => joined(bytes.subarray(0, at + 200), bytes.subarray(at)),
}

/** One edit of a random mutation: at some place `remove` bytes go, and others come. */
export interface Edit {
  /** Between 0, the beginning, and 1, the end. */
  readonly place: number
  readonly remove: number
  readonly insert: Uint8Array
}

export function mutated(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array {
  return edits.reduce((target, { place, remove, insert }) => {
    const at = Math.floor(place * target.length)
    return joined(target.subarray(0, at), insert, target.subarray(at + remove))
  }, bytes)
}

function withByte(bytes: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
  const target = bytes.slice()
  target[at] = change(target[at] ?? 0)
  return target
}

function joined(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))))
}
