import { isFoolscap, MAGIC } from '../../src/foolscap/magic'
import { magicLine } from '../../src/incident/magic'

test.each([
  [MAGIC, true],
  [`${MAGIC}{"header": `, true],
  ['# foolscap flog', true],
  ['BZh91AY&SY....', true],
  ['BZh9\x17rE8P\x90', true],
  ['BZh9', true],
  ['(dp0\nVheader', true],
  ['\x80\x04\x95', true],
  ['pb://abc@tcp:1.2.3.4:5/x', true],
  ['# fool', false],
  ['# foolscap flogfile v2\n', false],
  ['BZh91AY&SX....', false],
  ['BZip', false],
  ['pbcopy', false],
  ['{"a": 1}', false],
  ['', false],
])('%j is read by it: %s', (start, expected) => {
  expect(isFoolscap(Buffer.from(start, 'latin1'))).toBe(expected)
})

test('an incident file of ours is not', () => {
  expect(isFoolscap(magicLine(new Uint8Array(16)))).toBe(false)
})
