import { facilityIs, facilityUnder, severityAtLeast } from '../../../src/incident/qualifiers/severity'
import { eventOf } from './events'

test('severityAtLeast qualifies its severity and above, and says why', () => {
  const qualifier = severityAtLeast('error')
  expect(qualifier).toMatchObject({ minimumSeverity: 17, stateless: true })
  expect(qualifier.qualifies(eventOf('warn4'))).toBe(false)
  expect(qualifier.qualifies(eventOf('error'))).toEqual({ reason: 'error event' })
  expect(qualifier.qualifies(eventOf('fatal', { facility: 'db' }))).toEqual({ reason: 'fatal event of db' })
})

test('facilityIs takes one facility, facilityUnder all below it too', () => {
  const [exact, under] = [facilityIs('db', 'warn'), facilityUnder('db', 'warn')]
  expect([exact.minimumSeverity, under.minimumSeverity]).toEqual([13, 13])
  expect(exact.qualifies(eventOf('warn', { facility: 'db' }))).toEqual({ reason: 'warn event of db' })
  expect(exact.qualifies(eventOf('warn', { facility: 'db.pool' }))).toBe(false)
  expect(under.qualifies(eventOf('warn', { facility: 'db.pool' }))).toEqual({
    reason: 'warn event of db.pool',
  })
  expect(under.qualifies(eventOf('warn', { facility: 'dbx' }))).toBe(false)
  expect(under.qualifies(eventOf('info', { facility: 'db.pool' }))).toBe(false)
})

test('a severity or facility that is none is refused', () => {
  expect(() => severityAtLeast('eror' as 'error')).toThrow('did you mean error')
  expect(() => facilityIs('', 'warn')).toThrow('a facility such as')
  expect(() => facilityUnder('db', 99)).toThrow('option facilityUnder takes a severity')
})
