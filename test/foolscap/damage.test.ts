import assert from 'node:assert/strict'
import fc from 'fast-check'
import { FlogError } from '../../src/base/errors'
import { isFoolscap, MAGIC_BYTES } from '../../src/foolscap/magic'
import { eventLine, fixture, flogfile, parsed } from './fixtures'
import type { Read } from './read'

/** Some ten thousand files are read here, so that what is looked at in each must cost next to nothing. */
jest.setTimeout(180_000)

const PLAIN = 'flogfile-env/flogfile.flog'
const PACKED = 'flogfile-env/flogfile-default-level.flog.bz2'
const ALLOWED = ['FLOG_FILE_NOT_INCIDENT', 'FLOG_FOOLSCAP_PICKLE']

/** What is read, or the code of the refusal; anything else that is thrown fails the test. */
function outcome(bytes: Uint8Array): Read | string {
  try {
    return parsed(bytes)
  } catch (error) {
    if (FlogError.is(error) && ALLOWED.includes(error.code)) return error.code
    throw error
  }
}

describe.each([PLAIN, PACKED])('%s', (path) => {
  const bytes = fixture(path)
  const whole = parsed(bytes)

  test('cut at any byte gives what is before the cut, and says that it is cut', () => {
    for (let length = 0; length < bytes.length; length++) {
      const read = outcome(bytes.subarray(0, length))
      const where = `cut at ${length}`
      if (typeof read === 'string') {
        assert(length < MAGIC_BYTES, where)
        continue
      }
      assert.deepStrictEqual(read.events, whole.events.slice(0, read.events.length), where)
      const isAtLine = path === PLAIN && (bytes[length - 1] === 0x0a || bytes[length] === 0x0a)
      if (!isAtLine) assert.equal(read.verdict.state, 'truncated', where)
      assert.equal(read.verdict.events, read.events.length, where)
    }
  })

  test('with any byte changed gives a verdict, and only events that were there', () => {
    for (let at = 0; at < bytes.length; at++) {
      const flip = at % 2 === 0 ? 0xff : 1 << ((at >> 1) % 8)
      const damaged = Buffer.from(bytes)
      damaged[at] = (damaged[at] ?? 0) ^ flip
      const read = outcome(damaged)
      if (typeof read === 'string') continue
      const where = `${at} changed by ${flip}`
      assert(read.events.length <= whole.events.length + 1, where)
      // A checksum tells of any damage; a line of text may say something else, and nobody knows.
      if (path === PACKED && read.events.length < whole.events.length)
        assert(['corrupt', 'truncated'].includes(read.verdict.state), where)
    }
  })
})

test('bytes at random, behind a right beginning or none, are read or refused', () => {
  const starts = [
    '',
    '# foolscap flogfile v1\n',
    '# foolscap flogfile v1\n{"header": {"type": "incident", "trigger": {',
    'BZh91AY&SY',
    '(dp0',
    'pb://',
  ]
  fc.assert(
    fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 2000 }), (start, rest) => {
      const bytes = Buffer.concat([Buffer.from(start), rest])
      isFoolscap(bytes)
      outcome(bytes)
    }),
    { numRuns: 300 },
  )
})

test('lines of any JSON are read', () => {
  const line = fc.oneof(
    fc.json(),
    fc.jsonValue().map((d) => eventLine(JSON.stringify(d))),
    fc
      .dictionary(
        fc.constantFrom(
          'num',
          'time',
          'level',
          'message',
          'format',
          'args',
          'failure',
          'parent',
          'facility',
          'incarnation',
          '$',
          '__proto__',
        ),
        fc.oneof(fc.jsonValue(), fc.string(), fc.constantFrom('%(num)s %(time)d {num}', '%s', '{args}')),
      )
      .map((d) => eventLine(JSON.stringify(d))),
    fc
      .jsonValue()
      .map((trigger) => `{"header": {"type": "incident", "trigger": ${JSON.stringify(trigger)}}}`),
  )
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
      const { events } = parsed(flogfile(...lines))
      for (const { event } of events) {
        expect(Number.isSafeInteger(event.seq) && event.seq >= 0).toBe(true)
        expect(Number.isSafeInteger(event.time) && event.time >= 0).toBe(true)
        expect(event.severity >= 1 && event.severity <= 24).toBe(true)
      }
    }),
    { numRuns: 500 },
  )
})

test('more plain bytes than are asked for are refused, also where they come from few', () => {
  const bomb = Buffer.from(
    'QlpoOTFBWSZTWQ4J4t8BX45AAMAAAAggADCATUZCoCWpCoCXMUFZJlNZudCH0AAAxdAAwAAEAAAIIAAgpTQZjUhbBQvF3JFOFCQpcNCbgA==',
    'base64',
  )
  expect(() => parsed(bomb)).toThrow(expect.objectContaining({ code: 'FLOG_FILE_NOT_INCIDENT' }))
  const bytes = fixture(PACKED)
  const limit = parsed(bytes).verdict.plainBytes
  expect(parsed(bytes, bytes.length, { maxPlainBytes: limit }).verdict.state).toBe('whole')
  expect(() => parsed(bytes, bytes.length, { maxPlainBytes: limit - 1 })).toThrow(
    expect.objectContaining({
      code: 'FLOG_FILE_TOO_LARGE',
      message: expect.stringContaining('maxPlainBytes'),
    }),
  )
})
