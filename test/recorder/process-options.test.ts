import { FlogError } from '../../src/base/errors'
import { parseProcessEvents } from '../../src/recorder/process-options'

test('by default errors nobody caught begin an incident, and warnings are recorded', () => {
  expect(parseProcessEvents({})).toEqual({
    uncaught: 'trigger',
    rejections: 'trigger',
    warnings: 'event',
    signals: [],
    beforeExit: false,
  })
  expect(parseProcessEvents(false)).toBeUndefined()
})

test('a signal that is given twice is one', () => {
  expect(parseProcessEvents({ signals: ['SIGTERM', 'SIGINT', 'SIGTERM'] })?.signals).toEqual([
    'SIGTERM',
    'SIGINT',
  ])
})

test.each<[string, unknown]>([
  ['processEvents', true],
  ['processEvents', 'trigger'],
  ['processEvents.uncaught', { uncaught: true }],
  ['processEvents.rejections', { rejections: 'error' }],
  ['processEvents.warnings', { warnings: 1 }],
  ['processEvents.beforeExit', { beforeExit: true }],
  ['processEvents.signals', { signals: 'SIGTERM' }],
  ['processEvents.signals[1]', { signals: ['SIGTERM', 'SIGKILL'] }],
  ['processEvents.signals[0]', { signals: ['SIGSEGV'] }],
  ['processEvents.exit', { exit: 'event' }],
])('%s in %j is refused by name', (option, given) => {
  const error = errorOf(given)
  expect(error?.code).toBe('FLOG_OPTION_INVALID')
  expect(error?.message).toContain(option)
})

function errorOf(given: unknown): FlogError | undefined {
  try {
    parseProcessEvents(given)
    return undefined
  } catch (error) {
    if (FlogError.is(error)) return error
    throw error
  }
}
