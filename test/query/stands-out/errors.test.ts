import { whatStandsOut } from '../../../src/query/stands-out'
import { evenly, quietly, recordingOf, ring, type Said, spread } from './recordings'

const payments = (fails: (at: number, n: number) => boolean): readonly Said[] =>
  evenly(200, -60, 0, (at, n) => ({
    at,
    facility: 'payment',
    message: 'payment {id}',
    fields: { id: n, status: fails(at, n) ? 502 : 200 },
  }))

const errors = (said: readonly Said[], circumstances = {}) =>
  whatStandsOut(recordingOf([...quietly(), ...said], circumstances)).filter(({ kind }) => kind === 'errors')

test('a facility of which a larger share fails than before is told with both shares', () => {
  const [found] = errors(payments((at, n) => (at > -15 ? n % 2 === 0 : spread(n) < 0.01)))
  expect(found?.text).toMatch(/^payment: 24 of 48 failed in the 14 s before, earlier 3 of 152$/)
  expect(found?.filter).toMatch(/^facility=payment after:-1\d{4}ms$/)
})

test('what fails as often as ever does not stand out', () => {
  expect(errors(payments((_, n) => spread(n) < 0.05))).toEqual([])
})

test('errors that are older than all that is there besides are not compared with it', () => {
  const old = evenly(100, -600, -61, (at) => ({ at, severity: 'error', facility: 'payment', message: 'old' }))
  const rings = [ring('info', -60), ring('debug', -60)]
  const [found] = errors([...old, ...payments((at, n) => at > -15 && n % 2 === 0)], { rings })
  expect(found?.text).toMatch(/earlier 0 of 1\d\d$/)
})
