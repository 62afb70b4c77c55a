import fc from 'fast-check'
import { clip, escapeLine, escapeLines } from '../../../tools/flog/terminal'
import { anyText } from '../../any-text'

describe('escapeLine', () => {
  test.each([
    ['colours', '\u001b[31mred', '\\x1b[31mred'],
    ['a window title', '\u001b]0;owned\u0007', '\\x1b]0;owned\\x07'],
    ['the one-byte CSI', '\u009b2J', '\\x9b2J'],
    ['a carriage return that hides what was before', 'error\rfine ', 'error\\rfine '],
    ['backspaces', 'rm\b\bls', 'rm\\b\\bls'],
    ['a line feed that fakes a line', 'a\nb', 'a\\nb'],
    ['text that turns its direction', 'user\u202egnp.exe', 'user\\u202egnp.exe'],
    ['isolates', '\u2066x\u2069', '\\u2066x\\u2069'],
    ['zero width text', 'ad\u200bmin', 'ad\\u200bmin'],
    ['tag characters', '\u{e0041}', '\\u{e0041}'],
    ['a lone surrogate', 'a\ud800b', 'a\\ud800b'],
    ['line separators', 'a\u2028b', 'a\\u2028b'],
  ])('shows %s instead of doing it', (_, text, shown) => {
    expect(escapeLine(text)).toBe(shown)
  })

  test('leaves ordinary text of any language alone', () => {
    const text = 'größer 中文 עברית 👩‍👩‍👧 C:\\path "quoted"'
    expect(escapeLine(text)).toBe(text)
  })

  test('nothing that a terminal acts upon comes through', () => {
    fc.assert(
      fc.property(anyText(), (text) => {
        expect(escapeLine(text)).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u)
      }),
    )
  })
})

test('escapeLines makes lines of line feeds, and spaces of tabs', () => {
  expect(escapeLines('a\r\n\tb\u001b[2J\nc')).toEqual(['a', '    b\\x1b[2J', 'c'])
})

describe('clip', () => {
  test('cuts with an ellipsis', () => {
    expect(clip('abcdef', 4)).toBe('abc…')
    expect(clip('abc', 4)).toBe('abc')
  })

  test('does not cut a character in two', () => {
    expect(clip('ab😀cd', 4)).toBe('ab…')
  })
})
