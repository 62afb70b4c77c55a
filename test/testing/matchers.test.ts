import { type RecorderMatchers, recorderMatchers } from '../../src/testing/matchers'
import { createTestRecorder } from '../../src/testing/recorder'

declare global {
  namespace jest {
    interface Matchers<R> extends RecorderMatchers<R> {}
  }
}

expect.extend(recorderMatchers)

function recorder() {
  const made = createTestRecorder()
  made.info('request {path}', { path: '/' })
  made.info('request {path}', { path: '/cart' })
  made.error('checkout failed')
  return made
}

test('toHaveRecorded passes where an event matches, or exactly so many', () => {
  expect(recorder()).toHaveRecorded({ message: 'request /cart' })
  expect(recorder()).toHaveRecorded({ severity: 'info' }, 2)
  expect(recorder()).not.toHaveRecorded({ severity: 'info' }, 1)
  expect(recorder()).not.toHaveRecorded({ severity: 'fatal' })
})

test('toHaveRecorded lists what was recorded where it fails', () => {
  expect(() => expect(recorder()).toHaveRecorded({ message: 'request /orders' })).toThrow(
    /an event with \{ message: 'request \/orders' \}, found 0 in\n {2}info request \/ \{"path":"\/"\}\n/,
  )
  expect(() => expect(createTestRecorder()).toHaveRecorded({})).toThrow(/\(none\)/)
})

test('toHaveIncident looks at what would have begun one', () => {
  expect(recorder()).toHaveIncident()
  expect(recorder()).toHaveIncident({ message: /checkout/ })
  expect(recorder()).not.toHaveIncident({ message: /request/ })
  expect(() => expect(recorder()).not.toHaveIncident()).toThrow(/expected no incident/)
})

test('anything but a test recorder is refused', () => {
  expect(() => expect({}).toHaveIncident()).toThrow(/takes what createTestRecorder returned/)
})
