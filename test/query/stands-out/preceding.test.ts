import { whatStandsOut } from '../../../src/query/stands-out'
import { evenly, quietly, recordingOf, type Said } from './recordings'

const loaded: Said = {
  at: -20.1,
  facility: 'config',
  message: 'configuration {revision} loaded',
  fields: { revision: 42 },
}
const failures = evenly(40, -20, 0, (at) => ({
  at,
  severity: 'error',
  facility: 'payment',
  message: 'no such host',
}))
const asked = { kind: 'manual', trigger: { severity: 'info', facility: 'flog', message: 'asked' } } as const

test('a rare message right before something began to fail is told', () => {
  const found = whatStandsOut(recordingOf([...quietly(), loaded, ...failures]))
  expect(found[1]).toMatchObject({ kind: 'first-seen', count: 1, filter: `seq:${found[1]?.evidence[0]}` })
  expect(found[1]?.text).toBe(
    'config: "configuration {revision} loaded" 100 ms before that began, never earlier',
  )
})

test('one that came long before is not', () => {
  const found = whatStandsOut(recordingOf([...quietly(), { ...loaded, at: -40 }, ...failures]))
  expect(found.map(({ text }) => text).join()).not.toContain('configuration')
})

test('one that came often is not', () => {
  const often = evenly(6, -60, -19, (at) => ({ ...loaded, at }))
  const found = whatStandsOut(recordingOf([...quietly(), ...often, loaded, ...failures]))
  expect(found.map(({ text }) => text).join()).not.toContain('configuration')
})

test('where nothing is wrong, it says nothing', () => {
  expect(whatStandsOut(recordingOf([...quietly(), { ...loaded, at: -0.1 }], asked))).toEqual([])
})
