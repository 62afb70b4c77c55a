import { parseFilter } from '../../../src/query/filter'
import {
  headerHas,
  momentOf,
  noneMatches,
  someMatches,
  triggerMatches,
  triggerOf,
} from '../../../src/query/rules/conditions'
import { eventAt, recordingOf, TRIGGER_TIME } from './recordings'

const TRIGGER = eventAt(0, 'whole text of the trigger', { severity: 17 })
const RECORDING = recordingOf(TRIGGER, [eventAt(-2000, 'before'), eventAt(2000, 'after')])

test('the trigger is the one of the header, which is never cut', () => {
  const [cut] = RECORDING.events.filter(({ mark }) => mark === 'trigger')
  const events = [{ event: { ...TRIGGER, message: 'whole', cut: 20 }, mark: 'trigger' as const }]
  expect(cut).toBeDefined()
  expect(triggerMatches(parseFilter('"of the trigger" is:trigger'))({ ...RECORDING, events })).toBe(true)
  expect(triggerOf({ ...RECORDING, header: undefined, events })?.message).toBe('whole')
  expect(triggerOf({ ...RECORDING, header: undefined, events: [] })).toBeUndefined()
})

test('times are relative to the trigger', () => {
  expect(someMatches(parseFilter('after:1s'))(RECORDING)).toBe(true)
  expect(someMatches(parseFilter('before:-3s'))(RECORDING)).toBe(false)
  expect(noneMatches(parseFilter('before:-3s'))(RECORDING)).toBe(true)
  expect(momentOf(RECORDING)).toEqual({ triggerTime: TRIGGER_TIME })
  expect(momentOf({ header: undefined, trailer: undefined, events: [] })).toEqual({})
})

test('without a header nothing is said of it', () => {
  const isShop = headerHas(['shop'], ({ service }) => service)
  expect(isShop(recordingOf(TRIGGER, [], { service: 'shop' }))).toBe(true)
  expect(isShop({ ...RECORDING, header: undefined })).toBe(false)
})
