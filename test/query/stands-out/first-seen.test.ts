import { whatStandsOut } from '../../../src/query/stands-out'
import { evenly, quietly, recordingOf, ring, type Said } from './recordings'

const leases = (from: number): readonly Said[] =>
  evenly(19, from, -1, (at, n) => ({
    at,
    severity: 'warn',
    facility: 'db.pool',
    message: `lease ${1000 + n} not returned`,
    fields: { route: '/refund' },
  }))

const found = (said: readonly Said[], circumstances = {}) =>
  whatStandsOut(recordingOf([...quietly(), ...said], circumstances))

test('a warning that came up shortly before the trigger is told with its first time', () => {
  const [first] = found(leases(-38))
  expect(first).toMatchObject({
    kind: 'first-seen',
    count: 19,
    filter: 'facility=db.pool message:"not returned" after:-38000ms',
  })
  expect(first?.text).toBe(
    'db.pool: "lease … not returned" first seen 38 s before the trigger, never earlier (19 times)',
  )
})

test('what came from the start on is nothing new', () => {
  expect(found(leases(-59))).toEqual([])
})

test('what its ring would have lost earlier is not called new', () => {
  expect(
    found(leases(-38), { rings: [ring('warn', -39)] }).filter(({ kind }) => kind === 'first-seen'),
  ).toEqual([])
})

test('a new kind of information is no trouble', () => {
  const said = leases(-38).map((each) => ({ ...each, severity: 'info' }))
  expect(found(said, { kind: 'manual', trigger: { severity: 'info', facility: 'flog' } })).toEqual([])
})

test('one burst is one occurrence', () => {
  const burst = evenly(19, -30, -29.99, (at) => ({
    at,
    severity: 'warn',
    facility: 'cache',
    message: 'miss',
  }))
  expect(found(burst, { kind: 'manual', trigger: { severity: 'info', facility: 'flog' } })).toEqual([])
})
