import {
  isMagicLineIntact,
  MAGIC_BYTES,
  magicLine,
  parseMagicLine,
  startsLikeMagicLine,
} from '../../src/incident/magic'

const SYNC = Uint8Array.from({ length: 16 }, (_, i) => 16 * i + i)

test('the magic line is one line of text of fixed length that says how to read the file', () => {
  const text = Buffer.from(magicLine(SYNC)).toString('ascii')
  expect(text).toHaveLength(MAGIC_BYTES)
  expect(text.indexOf('\n')).toBe(MAGIC_BYTES - 1)
  expect(text).toContain('npx -p flight-log flog dump FILE')
  expect(text).toMatch(/^FLOG incident 1\.0 sync=00112233445566778899aabbccddeeff /)
})

test('what was written is read', () => {
  const version = { major: 12, minor: 345 }
  expect(parseMagicLine(magicLine(SYNC, version))).toEqual({ version, sync: SYNC })
})

test.each([
  ['cut', Buffer.from(magicLine(SYNC)).subarray(0, 95)],
  ['of another kind', Buffer.alloc(200, 'x')],
  [
    'with a marker that is no number',
    Buffer.from(Buffer.from(magicLine(SYNC)).toString().replace('sync=0', 'sync=g')),
  ],
])('a line %s is none', (_, bytes) => {
  expect(parseMagicLine(bytes)).toBeUndefined()
})

test('a change anywhere in a line of a known version is seen, in that of a later one only where it matters', () => {
  const known = Buffer.from(magicLine(SYNC))
  const later = Buffer.from(magicLine(SYNC, { major: 1, minor: 9 }))
  for (const [line, intact] of [
    [known, false],
    [later, true],
  ] as const) {
    line[80] = 0x21
    expect(isMagicLineIntact(line, parseMagicLine(line)!)).toBe(intact)
  }
})

test('the start of a line is recognised however short it was cut', () => {
  for (let length = 1; length < MAGIC_BYTES; length++) {
    expect(startsLikeMagicLine(magicLine(SYNC).subarray(0, length))).toBe(true)
  }
  expect(startsLikeMagicLine(new Uint8Array(0))).toBe(false)
  expect(startsLikeMagicLine(Buffer.from('FLOX'))).toBe(false)
})
