import fc from 'fast-check'
import { appendix, formatPosition, IncidentCursor, parsePosition } from '../../src/remote/cursor'
import { pack } from '../../src/remote/wire'

const incarnations = fc.constantFrom('00000000000000aa', '0123456789abcdef', 'ffffffffffffffff')
const incidents = fc.array(fc.record({ incarnation: incarnations, number: fc.integer({ min: 1, max: 40 }) }))
const encoded = (value: unknown): string => Buffer.from(pack(value)).toString('base64url')

test('a cursor has exactly the incidents that were delivered, in whatever order', () => {
  fc.assert(
    fc.property(incidents, incidents, (delivered, asked) => {
      const cursor = new IncidentCursor()
      for (const incident of delivered) cursor.add(incident)
      const again = IncidentCursor.parse(String(cursor))
      const keys = new Set(delivered.map((one) => `${one.incarnation}-${one.number}`))
      for (const one of [...delivered, ...asked]) {
        expect(again.has(one)).toBe(keys.has(`${one.incarnation}-${one.number}`))
      }
      expect(String(again)).toBe(String(cursor))
    }),
  )
})

test('an incident that closes after a later one is still to be delivered', () => {
  const incarnation = '0123456789abcdef'
  const cursor = new IncidentCursor()
  for (const number of [1, 2, 3, 5]) cursor.add({ incarnation, number })
  expect(cursor.has({ incarnation, number: 4 })).toBe(false)
})

test('a thousand incidents in a row make no longer cursor than one', () => {
  const incarnation = '0123456789abcdef'
  const cursor = new IncidentCursor()
  for (let number = 1; number <= 1000; number++) cursor.add({ incarnation, number })
  expect(String(cursor).length).toBeLessThan(30)
})

test('incarnations of which nothing is left are forgotten, others are not', () => {
  const [gone, there] = ['00000000000000aa', '0123456789abcdef'] as const
  const cursor = new IncidentCursor()
  cursor.add({ incarnation: gone, number: 1 })
  cursor.add({ incarnation: there, number: 1 })
  cursor.prune([{ incarnation: there, number: 7 }])
  expect(cursor.has({ incarnation: gone, number: 1 })).toBe(false)
  expect(cursor.has({ incarnation: there, number: 1 })).toBe(true)
})

test('a position comes back as it was', () => {
  const counts = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
  fc.assert(
    fc.property(incarnations, counts, fc.array(counts, { maxLength: 30 }), (incarnation, seq, ordinals) => {
      const position = { incarnation, seq, ordinals }
      expect(parsePosition(formatPosition(position))).toEqual(position)
    }),
  )
})

const invalid: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['other characters', 'a+b/c='],
  ['no MessagePack', 'wQ'],
  ['another kind', encoded([9, []])],
  ['a number', encoded(1)],
  ['an incarnation that is too short', encoded([1, [new Uint8Array(7), 1, 1]])],
  ['a range without an end', encoded([1, [new Uint8Array(8), 1]])],
  ['a range backwards', encoded([1, [new Uint8Array(8), 2, 1]])],
  ['ranges out of order', encoded([1, [new Uint8Array(8), 5, 6, 1, 2]])],
  ['fractions', encoded([1, [new Uint8Array(8), 1.5, 2.5]])],
  ['too long', 'A'.repeat(600_000)],
]

test.each(invalid)('%s is no cursor', (_, text) => {
  expect(() => IncidentCursor.parse(text)).toThrow(expect.objectContaining({ code: 'FLOG_CURSOR_INVALID' }))
})

test('whatever text is given, it is a cursor or FLOG_CURSOR_INVALID', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.base64String(),
    fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64url')),
  )
  fc.assert(
    fc.property(texts, (text) => {
      for (const parse of [IncidentCursor.parse, parsePosition]) {
        try {
          parse(text)
        } catch (error) {
          expect(error).toMatchObject({ code: 'FLOG_CURSOR_INVALID' })
        }
      }
    }),
  )
})

test('a cursor with something appended is one that has it too', () => {
  fc.assert(
    fc.property(incidents, incidents, (delivered, later) => {
      const cursor = new IncidentCursor()
      for (const incident of delivered) cursor.add(incident)
      const text = String(cursor) + later.map(appendix).join('')
      for (const incident of later) cursor.add(incident)
      expect(String(IncidentCursor.parse(text))).toBe(String(cursor))
    }),
  )
})

test('what is appended is single incidents, not another cursor', () => {
  const bytes = Buffer.from('0123456789abcdef', 'hex')
  const one = encoded([1, [bytes, 1, 1]])
  expect(IncidentCursor.parse(`${one}.${one}`).has({ incarnation: '0123456789abcdef', number: 1 })).toBe(true)
  const invalid = expect.objectContaining({ code: 'FLOG_CURSOR_INVALID' })
  expect(() => IncidentCursor.parse(`${one}.${encoded([1, [bytes, 1, 2]])}`)).toThrow(invalid)
  expect(() => IncidentCursor.parse(`${one}.`)).toThrow(invalid)
  expect(() => IncidentCursor.parse(`.${one}`)).toThrow(invalid)
})

test('where nothing is listed at all nothing is forgotten', () => {
  const incident = { incarnation: '0123456789abcdef', number: 1 }
  const cursor = new IncidentCursor()
  cursor.add(incident)
  cursor.prune([])
  expect(cursor.has(incident)).toBe(true)
})

test('a cursor made to be slow is not', () => {
  const incarnation = '0123456789abcdef'
  // Were each look to go through all of it, this would take minutes, and the test its time.
  const holes = Array.from({ length: 30_000 }, (_, i) => [2 * i, 2 * i]).flat()
  const cursor = IncidentCursor.parse(encoded([1, [Buffer.from(incarnation, 'hex'), ...holes]]))
  let even = 0
  for (let round = 0; round < 50; round++) {
    for (let number = 20_000; number < 60_000; number++) if (cursor.has({ incarnation, number })) even++
  }
  expect(even).toBe(50 * 20_000)
  for (let number = 50_001; number < 54_000; number += 2) cursor.add({ incarnation, number })
  const many = Array.from({ length: 150_000 }, () => 1)
  expect(() => IncidentCursor.parse(encoded([1, many]))).toThrow(
    expect.objectContaining({ code: 'FLOG_CURSOR_INVALID' }),
  )
})
