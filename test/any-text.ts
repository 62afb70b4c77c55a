import fc from 'fast-check'

/** One character of those that UTF-8 writes in one, two, three and four bytes; halves of pairs are none. */
const character = fc
  .oneof(
    fc.nat(0x7f),
    fc.integer({ min: 0x80, max: 0x7ff }),
    fc.integer({ min: 0x800, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0xffff }),
    fc.integer({ min: 0x10000, max: 0x10ffff }),
  )
  .map((code) => String.fromCodePoint(code))

/** Any text. The library's own `unit: 'binary'` first makes a table of all characters, which takes a second of each suite. */
export function anyText(constraints: fc.StringSharedConstraints = {}): fc.Arbitrary<string> {
  return fc.string({ ...constraints, unit: character })
}
