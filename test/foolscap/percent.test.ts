import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { Float, type Value } from '../../src/foolscap/json'
import { formatPercent, textOfPieces } from '../../src/foolscap/percent'
import { pythonRepr } from '../../src/foolscap/python'

function formatted(format: string, ...values: readonly Value[]): string | undefined {
  const pieces = formatPercent(format, values)
  return pieces === undefined ? undefined : textOfPieces(pieces)
}

test.each<[string, readonly Value[], string | undefined]>([
  ['%s|%r|%a', ['é', 'é', 'é'], "é|'é'|'\\xe9'"],
  ['%5s|%-5s|%.2s', ['ab', 'ab', 'abc'], '   ab|ab   |ab'],
  ['%d|%i|%5d|%-5d|%05d|%+d|% d', [1, 2, 3, 4, -5, 6, 7], '1|2|    3|4    |-0005|+6| 7'],
  ['%d %d', [new Float(3.9), true], '3 1'],
  ['%d', [2n ** 100n], '1267650600228229401496703205376'],
  ['%x|%#x|%X|%o|%#o', [255, 255, 255, 8, 8], 'ff|0xff|FF|10|0o10'],
  [
    '%f|%.2f|%08.3f|%e|%E',
    [1, 2.5, -1.5, 12345.678, 0.5].map((n) => new Float(n)),
    '1.000000|2.50|-001.500|1.234568e+04|5.000000E-01',
  ],
  ['%g|%g|%g|%g', [100000, 1e6, 1e-5, 0.5].map((n) => new Float(n)), '100000|1e+06|1e-05|0.5'],
  ['%f %f', [Infinity, Number.NaN].map((n) => new Float(n)), 'inf nan'],
  ['%c%c', [65, 'b'], 'Ab'],
  ['%*d|%.*f', [5, 1, 2, new Float(1)], '    1|1.00'],
  ['100%%', [], '100%'],
  ['%s', [[1, 'a', null, new Float(1e16), new Map([['k', true]])]], "[1, 'a', None, 1e+16, {'k': True}]"],
  ['%d', ['1'], undefined],
  ['%x', [new Float(1)], undefined],
  ['%s', [], undefined],
  ['none', [1], undefined],
  ['%', [], undefined],
  ['%y', [1], undefined],
  ['%c', ['ab'], undefined],
  ['%(a)s', [1], undefined],
])('%s', (format, values, expected) => {
  expect(formatted(format, ...values)).toBe(expected)
})

test('names are looked up, and a dictionary need not be used', () => {
  const event = new Map<string, Value>([['a', 1]])
  expect(textOfPieces(formatPercent('%(a)s %(a)03d', event) ?? [])).toBe('1 001')
  expect(textOfPieces(formatPercent('nothing', event) ?? [])).toBe('nothing')
  expect(textOfPieces(formatPercent('%s', event) ?? [])).toBe("{'a': 1}")
  expect(formatPercent('%(b)s', event)).toBeUndefined()
})

test('what is asked for without measure is not made', () => {
  expect(formatted('%99999999d', 1)).toBeUndefined()
  expect(formatted('%.99999999f', new Float(1))).toBeUndefined()
  expect(formatted('%9000d'.repeat(1000), ...Array(1000).fill(1))).toBeUndefined()
})

test('whatever is asked, there is an answer', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.array(
        fc.oneof(
          fc.string(),
          fc.integer(),
          fc.double().map((n) => new Float(n)),
        ),
      ),
      (format, values) => {
        const text = formatted(`%${format}`, ...values)
        expect(['string', 'undefined']).toContain(typeof text)
      },
    ),
  )
})

const hasPython = spawnSync('python3', ['--version']).status === 0
const testWithPython = hasPython ? test : test.skip

/** Where Python is not installed this is skipped. */
testWithPython('Python says the same of values and directives at random', () => {
  const numbers = fc.double({ noNaN: true }).map((n) => new Float(n))
  const values = fc.oneof(
    fc.string({ unit: 'grapheme-ascii' }),
    fc.maxSafeInteger(),
    numbers,
    fc.boolean(),
    fc.constant(null),
  )
  const directives = fc.tuple(
    fc.constantFrom('', '-', '0', '+', ' ', '#', '-0', '+0'),
    fc.constantFrom('', '1', '8', '12'),
    fc.constantFrom('', '.0', '.1', '.3'),
    fc.constantFrom('s', 'r', 'd', 'i', 'f', 'e', 'x', 'o', 'X', 'c'),
  )
  const cases = fc.sample(
    fc.tuple(
      directives.map((parts) => `%${parts.join('')}`),
      values,
    ),
    2000,
  )
  const script =
    'import sys, json\nfor line in sys.stdin:\n  f, v = eval(line)\n  try: print(json.dumps(f % (v,)))\n  except Exception: print("null")'
  const input = cases.map(([format, value]) => `(${pythonRepr(format)}, ${sourceOf(value)})`).join('\n')
  const { stdout } = spawnSync('python3', ['-c', script], { input, encoding: 'utf8' })
  const theirs = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as string | null)
  const ours = cases.map(([format, value]) => formatted(format, value) ?? null)
  const different = cases.flatMap(([format, value], i) =>
    ours[i] === theirs[i] ? [] : [[format, value, ours[i], theirs[i]]],
  )
  expect(different).toEqual([])
})

function sourceOf(value: Value): string {
  return value instanceof Float && !Number.isFinite(value.value)
    ? `float('${value.value}')`
    : pythonRepr(value)
}
