import { whatStandsOut } from '../../../src/query/stands-out'
import { evenly, quietly, recordingOf, type Said } from './recordings'

const gaps = (said: readonly Said[]) => whatStandsOut(recordingOf(said)).filter(({ kind }) => kind === 'gap')

test('a time in which nothing was logged is told with its length and its end', () => {
  const [found] = gaps(quietly().filter(({ at }) => at < -6 || at > -3))
  expect(found?.text).toMatch(
    /^nothing logged for 3(?:\.\d)? s until 2\.9 s before the trigger, otherwise every 1\d\d ms$/,
  )
  expect(found?.evidence).toHaveLength(2)
})

test('silence up to the trigger counts', () => {
  const [found] = gaps(quietly().filter(({ at }) => at < -5))
  expect(found?.text).toMatch(/^nothing logged for 5\.1 s until the trigger/)
})

test('pauses that are usual are not told', () => {
  expect(gaps(quietly().filter(({ at }) => Math.abs(at) % 10 > 4))).toEqual([])
})

test('a facility that has fallen silent while others went on is told', () => {
  const beats = evenly(20, -60, -20, (at) => ({ at, facility: 'heart', message: 'beat' }))
  const [found] = gaps([...quietly(), ...beats])
  expect(found).toMatchObject({ filter: 'facility=heart' })
  expect(found?.text).toMatch(/^heart: silent in the 22 s before, earlier every 2 s/)
})
