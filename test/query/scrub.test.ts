import { decodeEvent, decodeValue } from '../../src/codec/decode'
import { encodeEventParts, encodePlain, encodePlainEvent } from '../../src/codec/plain'
import type { LogEvent, Plain } from '../../src/event/event'
import { Scrubber, type Scrubbing } from '../../src/query/scrub'
import { sampleEvent, sampleHeader } from '../incident/samples'

function scrubbed(scrubbing: Scrubbing, event: Partial<LogEvent>): LogEvent {
  const bytes = encodePlainEvent({ ...sampleEvent(7), ...event })
  const first = new Scrubber(scrubbing)
  first.event(bytes)
  return decodeEvent(first.again().event(bytes))
}

describe('a field is taken out', () => {
  test.each<[string, string, Plain, Plain]>([
    ['by its name', 'email', { email: 'ada@x.example' }, { email: '[redacted]' }],
    ['in any spelling', 'e-mail', { E_Mail: 'ada' }, { E_Mail: '[redacted]' }],
    ['at any depth', 'email', { a: [{ b: { email: 'ada' } }] }, { a: [{ b: { email: '[redacted]' } }] }],
    ['whatever it holds', 'user', { user: { name: 'Ada', id: 7 } }, { user: '[redacted]' }],
    [
      'by its path',
      'user.name',
      { user: { name: 'Ada' }, name: 'x' },
      { user: { name: '[redacted]' }, name: 'x' },
    ],
    [
      'by its path in a list',
      'users.name',
      { users: [{ name: 'Ada' }] },
      { users: [{ name: '[redacted]' }] },
    ],
    [
      'in a Map',
      'email',
      {
        m: {
          $: 'map',
          v: [
            ['email', 'ada'],
            [1, 'x'],
          ],
        },
      },
      {
        m: {
          $: 'map',
          v: [
            ['email', '[redacted]'],
            [1, 'x'],
          ],
        },
      },
    ],
    [
      'in an error',
      'user',
      { e: { $: 'error', name: 'E', fields: { user: 'ada' } } },
      { e: { $: 'error', name: 'E', fields: { user: '[redacted]' } } },
    ],
    ['called $', '$', { $$: 'ada' }, { $$: '[redacted]' }],
  ])('%s', (_how, field, fields, kept) => {
    expect(scrubbed({ fields: [field] }, { fields: fields as never }).fields).toEqual(kept)
  })

  test('and its value wherever else it stands as a word', () => {
    const { message, fields, error, facility } = scrubbed(
      { fields: ['user'] },
      {
        message: 'login of adalove failed (adalove, not adalovelace)',
        facility: 'login',
        fields: { user: 'adalove', args: ['adalove', 4711], note: { $: 'text', v: utf16('adalove\ud800') } },
        error: {
          name: 'E',
          message: 'no adalove',
          stack: 'E: no adalove\n at x',
          cause: { $: 'error', message: 'adalove' },
        },
      },
    )
    expect(message).toBe('login of [redacted] failed ([redacted], not adalovelace)')
    expect(fields).toMatchObject({ user: '[redacted]', args: ['[redacted]', 4711] })
    expect(JSON.stringify([fields, error])).not.toContain('adalove')
    expect(facility).toBe('login')
  })

  test('a word under a name of the default list stays where it is a word', () => {
    const { message, fields } = scrubbed(
      { defaults: true },
      { message: 'token expired', fields: { token: 'expired' } },
    )
    expect({ message, fields }).toEqual({ message: 'token expired', fields: { token: '[redacted]' } })
  })
})

test('patterns are taken out of texts, keys, numbers and bytes, everywhere in an event', () => {
  const event = scrubbed(
    { patterns: [/4711\d*/] },
    {
      message: 'card 4711123 and 4711',
      facility: 'f.4711',
      traceId: '4711',
      fields: {
        'key-4711': 1,
        card: 4711123,
        body: new TextEncoder().encode('x=4711'),
        other: new Uint8Array([1, 2]),
        when: { $: 'date', v: '4711-01-01' },
        cut: { $: 'cut', v: '4711…', bytes: 9 },
        big: { $: 'bigint', v: '471147114711' },
      },
    },
  )
  expect(event).toMatchObject({
    message: 'card [redacted] and [redacted]',
    facility: 'f.[redacted]',
    traceId: '[redacted]',
    fields: {
      'key-[redacted]': 1,
      card: '[redacted]',
      body: '[redacted]',
      other: new Uint8Array([1, 2]),
      cut: { $: 'cut', v: '[redacted]…', bytes: 9 },
    },
  })
  expect(event.seq).toBe(7)
  expect(JSON.stringify(event)).not.toContain('4711')
})

test('an event in which nothing is found keeps its bytes, and what a later version added stays', () => {
  const scrubber = new Scrubber({ patterns: [/secret/] })
  const bytes = encodePlainEvent(sampleEvent(1))
  expect(scrubber.event(bytes)).toBe(bytes)
  const later = encodeEventParts([1, 2, 9, 'a secret', 'f', {}, {}, ['later', 'secret'], 5])
  expect(decodeValue(scrubber.event(later))).toEqual([
    1,
    2,
    9,
    'a [redacted]',
    'f',
    {},
    {},
    ['later', '[redacted]'],
    5,
  ])
  expect(scrubber.counts).toMatchObject({ events: 1, values: 2, isHeaderChanged: false })
})

test('the header keeps what an incident is found by, and loses the rest', () => {
  const header = {
    ...sampleHeader(),
    service: 'shop-e3b0',
    argv: ['server.js', '--user=ada', '--user', 'ada', '--port', '80', 'e3b0'],
    rings: [],
    extra: { user: 'ada', note: 'e3b0' },
    trigger: {
      kind: 'event' as const,
      reason: 'e3b0 failed',
      fingerprint: 'e3b0',
      event: { ...sampleEvent(3), message: 'm e3b0', fields: { user: 'ada', __proto__: null } },
    },
    laterKey: { user: 'ada', deep: 'e3b0' },
    id: '00000000000e3b00-1',
    rewritten: [{ by: 'filter' as const, at: 1, flog: '1', filter: 'e3b0' }],
  }
  const scrubber = new Scrubber({ fields: ['user'], patterns: [/e3b0/] })
  const kept = scrubber.header(header)
  expect(kept).toMatchObject({
    id: '00000000000e3b00-1',
    service: 'shop-[redacted]',
    argv: ['server.js', '--user=[redacted]', '--user', '[redacted]', '--port', '80', '[redacted]'],
    extra: { user: '[redacted]', note: '[redacted]' },
    trigger: {
      reason: '[redacted] failed',
      fingerprint: 'e3b0',
      event: { seq: 3, message: 'm [redacted]', fields: { user: '[redacted]' } },
    },
    laterKey: { user: '[redacted]', deep: '[redacted]' },
    rewritten: [{ by: 'filter', filter: '[redacted]' }],
  })
  expect(scrubber.counts.isHeaderChanged).toBe(true)
})

test('the trailer loses reasons and extras', () => {
  const trailer = {
    closedAt: 1,
    reason: 'time' as const,
    events: { total: 1, history: 1, after: 0 },
    furtherTriggers: [{ seq: 1, time: 1, kind: 'event' as const, reason: 'of ada', fingerprint: 'x' }],
    furtherTriggersOmitted: 0,
    lost: 0,
    extra: { user: 'bob' },
  }
  const kept = new Scrubber({ fields: ['user'], patterns: [/ada/] }).trailer(trailer)
  expect(kept).toEqual({
    ...trailer,
    furtherTriggers: [{ ...trailer.furtherTriggers[0], reason: 'of [redacted]' }],
    extra: { user: '[redacted]' },
  })
})

test('blocks of unknown types are searched where they hold MessagePack, and counted where not', () => {
  const scrubber = new Scrubber({ patterns: [/ada/] })
  const known = Uint8Array.from([...encodePlain({ a: 'ada' }), 0, 0])
  expect(decodeValue(scrubber.unknown(known))).toEqual({ a: '[redacted]' })
  const other = Uint8Array.from([0xc1, 1, 2, 3])
  expect(scrubber.unknown(other)).toBe(other)
  expect(scrubber.counts.unsearchedBlocks).toBe(1)
})

test('an empty name is refused', () => {
  expect(() => new Scrubber({ fields: [''] })).toThrow(
    expect.objectContaining({ code: 'FLOG_OPTION_INVALID' }),
  )
})

function utf16(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'utf16le'))
}
