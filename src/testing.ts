/** For the tests of programs that log with flog: a recorder in memory, and matchers. */
export { type RecorderMatchers, recorderMatchers } from './testing/matchers'
export { type EventPattern, matchesEvent } from './testing/pattern'
export {
  createTestRecorder,
  type TestIncident,
  type TestRecorder,
  type TestRecorderOptions,
} from './testing/recorder'
