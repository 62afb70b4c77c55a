import { whatStandsOut } from '../../../src/query/stands-out'
import { evenly, quietly, recordingOf, ring, type Said, spread } from './recordings'

const queries = (count: number, from: number, to: number): readonly Said[] =>
  evenly(count, from, to, (at, n) => ({ at: at + spread(n) / 10, facility: 'db', message: 'query' }))
const rates = (said: readonly Said[], circumstances = {}) =>
  whatStandsOut(recordingOf(said, circumstances)).filter(({ kind }) => kind === 'rate')

test('a facility that logs far more than before is told with both rates', () => {
  const [found] = rates([...quietly(), ...queries(200, -60, -10), ...queries(400, -10, -0.1)])
  expect(found?.text).toMatch(/^db: 4(?:\.\d)?\/s → 4\d\/s in the last (?:6\.7|10) s$/)
})

test('a facility that logs far less is told too', () => {
  const [found] = rates([...quietly(), ...queries(800, -60, -10), ...queries(30, -10, -0.1)])
  expect(found?.text).toMatch(/^db: 16\/s → 2\.9\/s in the last/)
})

test('waves do not stand out', () => {
  const waves = [-60, -45, -30, -15].flatMap((at) => queries(200, at, at + 5))
  expect(rates([...quietly(), ...waves, ...queries(60, -60, 0)])).toEqual([])
})

test('what a ring let go is no lower rate', () => {
  const rings = [ring('info', -20), ring('debug', -60, 0)]
  expect(rates([...quietly(), ...queries(300, -20, -0.1)], { rings })).toEqual([])
})
