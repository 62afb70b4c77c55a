import { whatStandsOut } from '../../../src/query/stands-out'
import { quietly, recordingOf } from './recordings'

const error = { name: 'TimeoutError', message: 'no connection' }
const first = { at: -4.9, severity: 'warn', facility: 'db.pool', message: 'no connection', error }
const later = { at: -1, severity: 'error', facility: 'db', message: 'query failed' }

test("the first error of the trigger's trace", () => {
  const traceId = 'cafe'
  const said = [...quietly(), { ...first, traceId }, { ...later, traceId }]
  const [found] = whatStandsOut(recordingOf(said, { trigger: { traceId } }))
  expect(found).toMatchObject({ kind: 'trace', count: 1, filter: 'trace:cafe severity>=warn' })
  expect(found?.text).toBe(
    'db.pool: "no connection": TimeoutError was the first error of the trigger\'s trace, 4.9 s before it',
  )
})

test('requests are traces too', () => {
  const fields = { requestId: 'r-1' }
  const said = [...quietly(), { ...first, fields }, { ...later, fields }]
  const [found] = whatStandsOut(recordingOf(said, { trigger: { fields } }))
  expect(found).toMatchObject({ kind: 'trace', filter: 'request:r-1 severity>=warn' })
})

test('errors of other traces are none of it', () => {
  const said = [...quietly(), { ...first, traceId: 'other' }]
  const found = whatStandsOut(recordingOf(said, { trigger: { traceId: 'cafe' } }))
  expect(found.filter(({ kind }) => kind === 'trace')).toEqual([])
})
