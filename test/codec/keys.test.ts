import { cutText, KeyTable, ReadyText, textBytes } from '../../src/codec/keys'
import { Redactor } from '../../src/event/redact'

describe('texts cut to a number of bytes', () => {
  test.each([
    ['abc', 3, 'abc'],
    ['abc', 2, 'ab'],
    ['abc', 0, ''],
    ['é€😀', 9, 'é€😀'],
    ['é€😀', 8, 'é€'],
    ['é€😀', 4, 'é'],
    ['é€😀', 1, ''],
    ['', 5, ''],
  ])('%s to %i is %s', (text, room, kept) => expect(cutText(text, room)).toBe(kept))

  test('never split a character and waste no room for one', () => {
    for (const character of ['a', 'é', '€', '😀']) {
      const text = character.repeat(100)
      const size = Buffer.byteLength(character)
      for (let room = 0; room < 100 * size; room++) {
        expect(cutText(text, room)).toBe(character.repeat(Math.floor(room / size)))
      }
    }
  })
})

test('a ready text has the bytes of MessagePack, then zeros', () => {
  for (const text of ['', 'a', 'x'.repeat(31), 'x'.repeat(32), 'x'.repeat(300), 'é€😀', '\ud800']) {
    const { doubles, length } = new ReadyText(text)
    const bytes = new Uint8Array(doubles.buffer, 0)
    expect(Buffer.from(bytes.subarray(0, length))).toEqual(Buffer.from(textBytes(text)))
    expect(bytes.subarray(length).every((byte) => byte === 0)).toBe(true)
  }
})

describe('remembered keys', () => {
  test('are found again, and expected where they came before', () => {
    const keys = new KeyTable(new Redactor())
    const a = keys.after(keys.first, 'a')
    const password = keys.after(a, 'password')
    expect(keys.after(keys.first, 'a')).toBe(a)
    expect([keys.first.next, a.next]).toEqual([a, password])
    expect([a.redacted, password.redacted]).toEqual([false, true])
  })

  test('are bounded in number and in length', () => {
    const keys = new KeyTable(new Redactor())
    const first = keys.after(keys.first, 'key0')
    for (let i = 1; i < 5000; i++) keys.after(keys.first, `key${i}`)
    expect(keys.after(keys.first, 'key0')).not.toBe(first)
    const long = 'k'.repeat(10_000)
    expect(keys.after(keys.first, long)).not.toBe(keys.after(keys.first, long))
    expect(keys.first.next?.name).not.toBe(long)
  })

  test('are shown with one $ more where they are nothing but that, and without what patterns take out', () => {
    const shown = (name: string, keys = new KeyTable(new Redactor([/secret-\d+/]))): string =>
      keys.after(keys.first, name).ready.text
    expect(['$', '$$', '$a', '', 'key secret-1'].map((name) => shown(name))).toEqual([
      '$$',
      '$$$',
      '$a',
      '',
      'key [redacted]',
    ])
    expect(shown('$', new KeyTable(new Redactor(), false))).toBe('$')
  })
})
