import { formatBytes, parseBytes } from '../../src/base/bytes'

test.each<[string | number, number]>([
  [1, 1],
  [4096, 4096],
  ['4096', 4096],
  ['512B', 512],
  ['200kB', 200_000],
  ['1.5KiB', 1536],
  ['4MiB', 4_194_304],
  [' 4 mib ', 4_194_304],
  ['3MB', 3_000_000],
  ['1GiB', 1_073_741_824],
  ['1GB', 1_000_000_000],
])('the size %p has %i bytes', (size, bytes) => expect(parseBytes('x', size)).toBe(bytes))

test.each([
  0,
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 53,
  '',
  'MiB',
  '-1',
  '1TB',
  '1 2',
  '0x10',
  '1e3',
  '0',
  '0.1B',
  null,
  undefined,
  {},
  true,
])('%p is no size', (size) => {
  expect(() => parseBytes('rings.debug', size)).toThrow(
    expect.objectContaining({
      code: 'FLOG_OPTION_INVALID',
      message: expect.stringMatching(/^option rings\.debug takes a size such as/),
    }),
  )
})

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [1024 * 1024 - 1, '1.0 MiB'],
  [8 * 1024 * 1024, '8.0 MiB'],
  [1024 ** 4, '1.0 TiB'],
  [1024 ** 5, '1024.0 TiB'],
])('%i bytes are shown as %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))
