import { whatStandsOut } from '../../../src/query/stands-out'
import { evenly, quietly, recordingOf, spread } from './recordings'

const MiB = 1024 ** 2
const found = (sample: (at: number, n: number) => object) => {
  const samples = evenly(60, -60, 0, (at, n) => ({
    at,
    severity: 'debug',
    facility: 'process.health',
    message: 'sample',
    fields: {
      delayMaxMs: 5 + 5 * spread(n),
      heapUsed: (60 + 30 * spread(n)) * MiB,
      rss: 200 * MiB,
      external: 4 * MiB,
      cpuUserMs: 200,
      cpuSystemMs: 20,
      ...sample(at, n),
    },
  }))
  return whatStandsOut(recordingOf([...quietly(), ...samples])).map(({ text }) => text)
}

test('a healthy process is not told', () => {
  expect(found(() => ({}))).toEqual([])
})

test('a late event loop', () => {
  const [text] = found((at) => (at === -6 ? { delayMaxMs: 2800 } : {}))
  expect(text).toMatch(
    /^process: event loop up to 2\.8 s late, 6 s before the trigger; mostly 8(?:\.\d)? ms$/,
  )
})

test('a late start is how programs start', () => {
  expect(found((at) => (at < -58 ? { delayMaxMs: 900 } : {}))).toEqual([])
})

test('a heap that grows, under its ups and downs', () => {
  const [text] = found((_, n) => ({ heapUsed: (60 + 4 * n + 30 * spread(n)) * MiB }))
  expect(text).toMatch(/^process: heap grew from \d\d MiB to 2\d\d MiB in 5\d s$/)
})

test('a processor that is busy', () => {
  const [text] = found((at) => (at > -20 ? { cpuUserMs: 980 } : {}))
  expect(text).toMatch(/^process: processor time 22 % → 100 % in the \d\d s before$/)
})
