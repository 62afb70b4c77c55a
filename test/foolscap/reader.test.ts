import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { foolscapSeverity } from '../../src/event/severity'
import { messageText } from '../../src/event/template'
import { readFoolscap, readFoolscapFile } from '../../src/foolscap/reader'
import {
  asDumped,
  dumped,
  eventLine,
  eventOfJson,
  FIXTURES,
  fixture,
  flogfile,
  parsed,
  READABLE,
} from './fixtures'
import { gathered } from './read'

const FAILED = /\[formatting failed\]$/

function onlyReadable(directory: string): string {
  const path = READABLE.find((one) => one.startsWith(directory))
  if (path === undefined) throw new Error(`no fixture in ${directory}`)
  return path
}

describe.each(READABLE)('%s', (path) => {
  test('has the events that flogtool dump showed, wherever it could', async () => {
    const { events, verdict } = await gathered(readFoolscapFile(join(FIXTURES, path)))
    const theirs = dumped(path)
    expect(theirs.length).toBeGreaterThan(0)
    const ours = events.slice(0, theirs.length).map(asDumped)
    const comparable = theirs.map((event, i) =>
      FAILED.test(event.text) ? { ...event, text: ours[i]?.text } : event,
    )
    expect(ours).toEqual(comparable)
    expect(['whole', 'open']).toContain(verdict.state)
    // It stops at a format with a key that is not there.
    if (!path.startsWith('incident-badformat')) expect(events).toHaveLength(theirs.length)
  })

  test('has the levels and facilities that its lines say', () => {
    const plain = path.endsWith('.bz2')
      ? execFileSync('bzip2', ['-dc', join(FIXTURES, path)], { encoding: 'utf8' })
      : fixture(path).toString()
    const lines = plain.split('\n').filter((line) => line.startsWith('{"from"'))
    const told = lines.map((line) => {
      const level = [...line.matchAll(/"level": ([\d.]+)/g)].at(-1)?.[1]
      return {
        severity: foolscapSeverity(Number(level)),
        facility: /"facility": "([^"]*)"/.exec(line)?.[1] ?? '',
      }
    })
    const { events } = parsed(fixture(path))
    expect(events.map(({ event: { severity, facility } }) => ({ severity, facility }))).toEqual(told)
  })

  test('reads the same in pieces of any size', () => {
    const bytes = fixture(path)
    const whole = parsed(bytes)
    for (const pieceBytes of [1, 22, 23, 24, 1000]) expect(parsed(bytes, pieceBytes)).toEqual(whole)
  })
})

describe('the header', () => {
  test('of an incident tells its process and its trigger', () => {
    const { header, events, trailer } = parsed(fixture(onlyReadable('incident-trailing')))
    expect(header).toMatchObject({
      id: '2597c0a9eaa79ea7-62',
      incarnation: '2597c0a9eaa79ea7',
      pid: 13_248,
      service: 'demo-app',
      version: '1.2.3',
      openedAt: 1_795_293_251_497_967,
      trigger: { kind: 'event', reason: 'logged at level 30 (WEIRD)' },
      extra: { foolscap: 'incident' },
    })
    expect(header?.trigger.event).toEqual(events.find(({ mark }) => mark === 'trigger')?.event)
    expect(header?.trigger.event.message).toBe('hash mismatch on share {shnum}')
    expect(trailer).toMatchObject({
      reason: 'time',
      events: { total: 67, history: 61, after: 6 },
      furtherTriggers: [{ seq: 65 }, { seq: 66 }],
    })
    expect(events.filter(({ mark }) => mark === 'further').map(({ event }) => event.seq)).toEqual([65, 66])
  })

  test.each([
    ['tail', 'tail'],
    ['log-gatherer', 'gatherer'],
    ['flogfile-env', 'log-file-observer'],
    ['filter', 'gatherer'],
  ])('of %s is that of a log, which nothing set off', (directory, type) => {
    const { header, trailer, events } = parsed(fixture(onlyReadable(directory)))
    expect(header).toMatchObject({ extra: { foolscap: type }, trigger: { kind: 'manual' } })
    expect(trailer).toMatchObject({ reason: 'closed', events: { total: events.length } })
    expect(events.some(({ mark }) => mark !== undefined)).toBe(false)
  })

  test('keeps what Foolscap says besides', () => {
    expect(parsed(fixture(onlyReadable('flogfile-env'))).header?.extra).toMatchObject({ threshold: 20 })
    expect(parsed(fixture(onlyReadable('log-gatherer'))).header).toMatchObject({
      openedAt: 1_795_293_969_139_434,
      extra: { start: 1_795_293_969.139_433_4 },
    })
  })

  test('is made up for a file without one, and is the same each time', () => {
    const bytes = flogfile(eventLine('{"num": 3, "message": "m", "time": 5, "incarnation": ["x", null]}'))
    const { header } = parsed(bytes)
    expect(header?.id).toMatch(/^[0-9a-f]{16}-1$/)
    expect(header).toMatchObject({ openedAt: 5_000_000, extra: { foolscap: 'without a header' } })
    expect(parsed(bytes).header).toEqual(header)
  })
})

test('an incident that its process left behind is open', () => {
  const { verdict, trailer, header } = parsed(fixture(onlyReadable('incident-sigkill')))
  expect(verdict).toMatchObject({ state: 'open', events: 61, eventsLost: 0 })
  expect(trailer).toBeUndefined()
  expect(header?.trigger.event.fields).toMatchObject({ why: 'test' })
})

describe('an event', () => {
  test('keeps values that JSON.parse would not', () => {
    const { events } = parsed(fixture(onlyReadable('incident-weirdargs')))
    const fieldsOf = (seq: number) => events.find(({ event }) => event.seq === seq)?.event.fields
    expect({ ...fieldsOf(65) }).toEqual({ nan: Number.NaN, inf: Infinity, ninf: -Infinity })
    expect({ ...fieldsOf(66) }).toEqual({
      u53: { $: 'bigint', v: '9007199254740993' },
      u64: { $: 'bigint', v: '18446744073709551615' },
      u200: { $: 'bigint', v: String(2n ** 200n) },
      neg: { $: 'bigint', v: '-9223372036854775808' },
    })
    expect({ ...fieldsOf(67) }).toEqual({ f: 1e300, tiny: 5e-324, third: 1 / 3, whole: 3, negzero: -0 })
    expect({ ...fieldsOf(69) }).toEqual({ s: { $: 'text', v: Uint8Array.of(0, 0xd8, 0x20, 0, 0x78, 0) } })
    expect({ ...fieldsOf(73) }).toEqual({ level: 22.5 })
    expect(events.at(-1)?.event).toMatchObject({ seq: 100_000, message: 'override num' })
  })

  test('with a Failure has it as its error', () => {
    const { header } = parsed(fixture(onlyReadable('incident-err')))
    expect(header?.trigger.event.error).toMatchObject({
      name: 'ZeroDivisionError',
      message: 'integer division or modulo by zero',
      stack: expect.stringMatching(/^Traceback .* line 119, in inner\n.*by zero$/s),
    })
    expect(header?.trigger.event.fields).toEqual({ why: 'while computing the ratio' })
    expect(header?.trigger.event.error).not.toHaveProperty('fields')
  })

  test.each([
    ['"just text"', { name: 'Failure', message: 'just text' }],
    ['{"str": "s"}', { name: 'Failure', message: 's', fields: { str: 's' } }],
    ['[1, null]', { name: 'Failure', message: '[1, None]' }],
  ])('with the failure %s has an error all the same', (failure, error) => {
    expect(JSON.parse(JSON.stringify(eventOfJson(`{"failure": ${failure}}`).error))).toEqual(error)
  })

  test.each([
    ['{"format": "%(a)s and %(b)d", "a": "x", "b": 2}', 'x and 2', '{a} and {b}'],
    ['{"format": "%(a)05d%%", "a": 7}', '00007%', '00007%'],
    ['{"format": "%(num)d: %(level)s", "num": 7, "level": 25}', '7: 25', '7: 25'],
    ['{"format": "{a} %(a)s", "a": 1}', '{a} 1', '{{a}} {a}'],
    ['{"format": "ok is %(ok)s", "ok": true}', 'ok is True', 'ok is True'],
    ['{"format": "%(f)s", "f": 3.0}', '3.0', '3.0'],
    ['{"format": "%(nope)s"}', '%(nope)s', '%(nope)s'],
    ['{"format": "%(a)d", "a": "x"}', '%(a)d', '%(a)d'],
    ['{"format": "%(a)999999999d", "a": 1}', '%(a)999999999d', '%(a)999999999d'],
    ['{"message": "a {brace}", "brace": 1}', 'a {brace}', '{text}'],
    ['{"message": "100% {}"}', '100% {}', '100% {}'],
    ['{"message": "%s of %d", "args": ["a", 2]}', 'a of 2', '%s of %d'],
    ['{"message": "%r", "args": ["a"]}', "'a'", "'a'"],
    ['{"message": "%s %s", "args": ["a"]}', '%s %s', '{text}'],
    ['{"message": 5}', '', ''],
    ['{}', '', ''],
  ])('%s says what Python would', (d, text, template) => {
    const event = eventOfJson(d)
    expect(messageText(event)).toBe(text)
    expect(event.message).toBe(template)
  })

  test('keeps a format that its template cannot tell', () => {
    const envelope = '"from": "local"'
    expect(eventOfJson('{"format": "%(a)05d", "a": 7}', envelope).fields).toEqual({ format: '%(a)05d', a: 7 })
    expect(eventOfJson('{"format": "%(a)s", "a": 7}', envelope).fields).toEqual({ a: 7 })
  })

  test('keeps who sent it, when it came, and of which process it is, where that is not the usual', () => {
    const d = '{"num": 4, "time": 1, "parent": 3, "incarnation": ["0123456789abcdef", null]}'
    const remote = eventOfJson(d, '"from": "abc", "rx_time": 7.5')
    expect(remote).toMatchObject({
      seq: 4,
      parent: 3,
      time: 1_000_000,
      fields: { from: 'abc', rx_time: 7.5 },
    })
    const { events } = parsed(flogfile(eventLine(d), eventLine(d.replace('0123', 'ffff'))))
    expect(events[1]?.event.fields).toEqual({ rx_time: 2000.5, incarnation: ['ffff456789abcdef', null] })
  })

  test.each(['"x"', '-5', '1e300', 'NaN', '1e999', 'null', '{}'])('with the time %s has one', (time) => {
    const event = eventOfJson(`{"time": ${time}}`)
    expect(event.time).toBe(2_000_500_000)
    expect(Object.keys(event.fields)).toContain('time')
  })

  test.each(['"x"', '-5', '1.5', '99999999999999999999', 'null'])('with the number %s has one', (num) => {
    const event = eventOfJson(`{"num": ${num}, "parent": ${num}}`)
    expect(event.seq).toBe(0)
    expect(Object.keys(event.fields)).toContain('num')
  })
})

describe('refuses', () => {
  test.each([
    ['empty.flog', 'FLOG_FILE_NOT_INCIDENT', /it is empty/],
    ['not-a-flogfile.flog', 'FLOG_FILE_NOT_INCIDENT', /not a Foolscap log/],
    ['furl-not-a-flogfile.flog', 'FLOG_FILE_NOT_INCIDENT', /a FURL/],
    ['old-pickle.flog', 'FLOG_FOOLSCAP_PICKLE', /Python pickle/],
    ['old-pickle.flog.bz2', 'FLOG_FOOLSCAP_PICKLE', /Python pickle/],
  ])('%s and says why', async (name, code, message) => {
    const reading = gathered(readFoolscapFile(join(FIXTURES, 'bad', name)))
    await expect(reading).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test('a file that is not there, and goes no further when it is told to stop', async () => {
    await expect(gathered(readFoolscapFile(join(FIXTURES, 'none')))).rejects.toMatchObject({
      code: 'FLOG_FILE_MISSING',
    })
    const reading = gathered(readFoolscap(pieces(flogfile('{}')), { signal: AbortSignal.abort() }))
    await expect(reading).rejects.toMatchObject({ code: 'FLOG_ABORTED' })
  })
})

describe('salvages', () => {
  test('all whole lines of a torn file', () => {
    const { verdict, events, header, damage } = parsed(fixture('bad/torn-last-line.flog'))
    expect(events).toHaveLength(dumped('bad/torn-last-line.flog').length)
    expect(header?.trigger.event.message).toBe('about to die with a lot of trailing events')
    expect(verdict).toMatchObject({ state: 'truncated', eventsLost: 1, hasTrailer: false })
    expect(damage).toMatchObject([{ what: 'truncated', bytes: 171, eventsLost: 1 }])
  })

  test('what is around a damaged line, a line that is too long, and zeros', () => {
    const good = eventLine('{"num": 1, "message": "good"}')
    const bytes = flogfile(good, 'rubbish', good, `{"d": {"message": "${'x'.repeat(2000)}"}}`, '\0\0\0', good)
    const { events, damage, verdict } = parsed(bytes, 7, { maxLineBytes: 1000 })
    expect(events).toHaveLength(3)
    expect(damage.map(({ what, eventsLost }) => [what, eventsLost])).toEqual([
      ['corrupt', 1],
      ['corrupt', 1],
      ['corrupt', 1],
    ])
    expect(verdict).toMatchObject({ state: 'corrupt', eventsLost: 3, events: 3 })
  })

  test('events behind a header that cannot be read', () => {
    const { header, events, verdict } = parsed(flogfile('{"header": {', eventLine('{"num": 1}')))
    expect([header?.extra?.['foolscap'], events.length, verdict.state]).toEqual([
      'without a header',
      1,
      'corrupt',
    ])
  })

  test('both halves of a gatherer file that was begun anew', () => {
    const half = flogfile('{"header": {"type": "gatherer", "start": 1.5}}', eventLine('{"num": 1}'))
    const { events, verdict } = parsed(Buffer.concat([half, half]))
    expect([events.length, verdict.state]).toEqual([2, 'whole'])
  })
})

async function* pieces(...bytes: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void> {
  yield* bytes
}
