import { whatStandsOut } from '../../../src/query/stands-out'
import { evenly, quietly, recordingOf, type Said, spread } from './recordings'

const waits = (wait: (at: number, n: number) => number): readonly Said[] =>
  evenly(200, -60, 0, (at, n) => ({
    at,
    facility: 'db.pool',
    message: 'connection taken',
    fields: { wait: wait(at, n), route: n % 5 === 0 ? '/refund' : '/items' },
  }))

const kinds = (said: readonly Said[]) =>
  whatStandsOut(recordingOf([...quietly(), ...said])).filter(({ kind }) => kind === 'duration')

test('a facility that takes longer than before is told with both times, and since when', () => {
  const [found] = kinds(waits((at, n) => (at < -12 ? 3 + 2 * spread(n) : 4900)))
  expect(found?.text).toMatch(/^db\.pool: wait time 4(?:\.\d)? ms → 4\.9 s in the 12 s before/)
  expect(found).toMatchObject({ count: 40, evidence: expect.arrayContaining([]) })
  expect(found?.filter).toMatch(/^facility=db\.pool wait>=\d+ after:-1[12]\d{3}ms$/)
})

test('where some take far longer, their number is told, and what they have in common', () => {
  const [found] = kinds(waits((at, n) => (at > -20 && n % 5 === 0 ? 3000 : 3 + 2 * spread(n))))
  expect(found?.text).toMatch(
    /^db\.pool: wait time 3 s for 13 of 65 in the 20 s before, mostly 4\.1 ms; route=\/refund/,
  )
})

test('what goes up and down with the load does not stand out', () => {
  expect(kinds(waits((at, n) => (6 + 4 * Math.sin(at / 8)) * (0.5 + spread(n))))).toEqual([])
})

test('what was slow at first and is fast now does not stand out', () => {
  expect(kinds(waits((at) => (at < -30 ? 900 : 4)))).toEqual([])
})

test('few values prove nothing', () => {
  expect(kinds(waits((_, n) => (n > 198 ? 5000 : 4)))).toEqual([])
})

test('units come from the names of the fields, or from the values', () => {
  const textOf = (name: string, factor: number | 'ms') =>
    kinds(
      evenly(60, -60, 0, (at) => {
        const ms = at < -20 ? 10 : 2000
        return {
          at,
          facility: 'f',
          message: 'done',
          fields: { [name]: factor === 'ms' ? `${ms}ms` : ms * factor },
        }
      }),
    )[0]?.text
  expect(textOf('elapsedSeconds', 0.001)).toMatch(/^f: time 10 ms → 2 s/)
  expect(textOf('took_us', 1000)).toMatch(/^f: time 10 ms → 2 s/)
  expect(textOf('responseTime', 1)).toMatch(/^f: responseTime 10 ms → 2 s/)
  expect(textOf('latency', 'ms')).toMatch(/^f: latency 10 ms → 2 s/)
  expect(textOf('timeoutMs', 1)).toBeUndefined()
})
