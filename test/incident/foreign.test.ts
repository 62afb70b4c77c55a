import { describeForeign } from '../../src/incident/foreign'

test.each([
  ['', 'empty'],
  ['\0\0\0\0', 'zeros'],
  ['# foolscap flogfile v1\n{', 'Foolscap'],
  ['{"level":30,"msg":"hello"}\n', 'JSON'],
  ['\n  [1]', 'JSON'],
  ['<html>', 'HTML'],
  ['2026-11-21 ERROR \x1b[31mno\x1b[0m\r\n', 'plain text'],
  ['\x1f\x8b\x08\x00', 'gzip'],
  ['BZh91AY', 'bzip2'],
  ['\x28\xb5\x2f\xfd\x00', 'zstd'],
  ['PK\x03\x04\x14', 'zip'],
  ['SQLite format 3\0', 'SQLite'],
  ['\x01\x02\x03\xff', 'binary data'],
])('%j is described as %s', (text, expected) => {
  expect(describeForeign(Buffer.from(text, 'latin1'))).toContain(expected)
})
