import type { ErrorRecord, Plain } from '../../../../src/event/event'
import type { IncidentHeader, IncidentTrailer } from '../../../../src/incident/header'
import { headerLines, trailerLines, verdictLine } from '../../../../tools/flog/show/incident-text'
import { createStyle } from '../../../../tools/flog/style'

const PLAIN = createStyle(false)
const ring = {
  facility: '',
  thread: 0,
  capacityBytes: 1024,
  usedBytes: 512,
  events: 0,
  evicted: 0,
  oldest: 0,
}

const HEADER: IncidentHeader = {
  type: 'incident',
  format: '1.0',
  id: '00c0ffee00c0ffee-1',
  incarnation: '00c0ffee00c0ffee',
  number: 1,
  openedAt: 10_000_000,
  trigger: {
    kind: 'event',
    reason: 'severity is at least error',
    fingerprint: 'f',
    event: {
      seq: 1,
      time: 10_000_000,
      severity: 17,
      message: 'order {id} failed',
      facility: 'shop',
      fields: { id: 7 },
    },
  },
  service: 'shop',
  version: '',
  host: 'web-1',
  pid: 1,
  process: { bootId: '', pidNamespace: '', pid: 1, startTime: '' },
  versions: { node: '20.19.0' },
  rings: [],
  suppressed: { perHour: 0, perFingerprint: 0, coolDown: 0 },
  postTrigger: { events: 100, ms: 5000 },
}
const MARK = { at: 1_000_000, flog: '1.0.0' }
const TRAILER: IncidentTrailer = {
  closedAt: 15_000_000,
  reason: 'time',
  events: { total: 1234, history: 1200, after: 34 },
  furtherTriggers: [],
  furtherTriggersOmitted: 0,
  lost: 0,
}

describe('above the events', () => {
  test('the trigger with its message filled in', () => {
    expect(headerLines(HEADER, PLAIN)).toContain('  trigger    error shop: order 7 failed')
  })

  test('the error of the trigger and where it came from, where the message does not say it', () => {
    const event = HEADER.trigger.event
    const errorOf = (error: ErrorRecord, message = event.message): string | undefined =>
      headerLines({ ...HEADER, trigger: { ...HEADER.trigger, event: { ...event, message, error } } }, PLAIN)
        .find((line) => line.startsWith('  error'))
        ?.slice(13)
    const refused: ErrorRecord = { name: 'Error', message: 'connection refused', code: 'ECONNREFUSED' }
    const cause = { $: 'error', ...refused } as unknown as Plain
    expect(errorOf(refused)).toBe('Error: connection refused')
    expect(errorOf(refused, 'failed: connection refused')).toBeUndefined()
    expect(errorOf({ name: 'PayError', message: 'no\x1b[2J answer', cause })).toBe(
      'PayError: no\\x1b[2J answer, caused by Error: connection refused',
    )
    expect(errorOf({ name: 'E', message: 'x'.repeat(5000) })?.length).toBeLessThan(250)
  })

  test('only what a log of another program says of where it is from', () => {
    const lines = headerLines({ ...HEADER, host: '', versions: {}, extra: { foolscap: 'tail' } }, PLAIN)
    expect(lines).toContain('  host       pid 1')
    expect(lines.join('\n')).not.toMatch(/versions|history/)
    expect(headerLines({ ...HEADER, host: '', pid: 0 }, PLAIN).join('\n')).not.toMatch(/host/)
  })

  test('a trigger without a message', () => {
    const event = { ...HEADER.trigger.event, message: '' }
    const lines = headerLines({ ...HEADER, trigger: { ...HEADER.trigger, event } }, PLAIN)
    expect(lines).toContain('  trigger    error shop')
  })

  test('what was done to the file since it was recorded, in order', () => {
    const rewritten = [
      { by: 'import' as const, ...MARK },
      { by: 'filter' as const, ...MARK, filter: 'severity>=warn' },
      { by: 'scrub' as const, ...MARK, fields: ['email', 'user.name'], patterns: 2 },
    ]
    const lines = headerLines({ ...HEADER, rewritten }, PLAIN)
    const at = lines.findIndex((line) => line.startsWith('  changed'))
    expect(lines.slice(at, at + 3)).toEqual([
      '  changed    1970-01-01T00:00:01.000000Z imported from Foolscap',
      '             1970-01-01T00:00:01.000000Z filtered, kept: severity>=warn',
      '             1970-01-01T00:00:01.000000Z scrubbed, taken out: email, user.name, 2 patterns',
    ])
  })

  test('how far back each severity goes, in order, threads together, empty rings left out', () => {
    const rings = [
      { ...ring, severity: 'info', events: 5, oldest: 4_000_000, evicted: 10 },
      { ...ring, severity: 'debug', events: 1500, oldest: 9_500_000 },
      { ...ring, severity: 'debug', thread: 1, events: 500, oldest: 9_000_000 },
      { ...ring, severity: 'info', facility: 'http', events: 1, oldest: 9_999_000 },
      { ...ring, severity: 'error', events: 1, oldest: HEADER.trigger.event.time },
      { ...ring, severity: 'fatal' },
    ]
    const lines = headerLines({ ...HEADER, rings }, PLAIN)
    const at = lines.findIndex((line) => line.includes('history'))
    expect(lines.slice(at)).toEqual([
      '  history    debug      2,000 events  back to 1.0 s before',
      '             info           5 events  back to 6.0 s before   10 older ones were overwritten',
      '             info http       1 event  back to 1.0 ms before',
      '             error           1 event  the trigger itself',
    ])
  })

  test('what kind of incident it is, where no event of the program began it', () => {
    const trigger = { ...HEADER.trigger, kind: 'manual' as const, reason: 'slow since two' }
    expect(headerLines({ ...HEADER, trigger }, PLAIN)).toContain('  why        manual: slow since two')
  })
})

describe('below the events', () => {
  test('how the window ended, and how many events there are', () => {
    expect(trailerLines(HEADER, TRAILER, PLAIN)).toEqual([
      'closed: the window was over, 5.0 s after the trigger',
      '1,234 events: 1,200 up to the trigger, 34 after it',
    ])
  })

  test('a window that ended by count right away names the option to change', () => {
    const trailer = { ...TRAILER, reason: 'events' as const, closedAt: 10_003_000 }
    expect(trailerLines(HEADER, trailer, PLAIN).at(-1)).toMatch(
      /ended by count, 3\.0 ms of 5\.0 s.*reporter\.postTrigger\.events \(100\)/,
    )
    expect(trailerLines(HEADER, { ...trailer, closedAt: 13_000_000 }, PLAIN)).toHaveLength(2)
  })

  test('what was lost', () => {
    expect(trailerLines(HEADER, { ...TRAILER, lost: 2 }, PLAIN)).toContain(
      '2 events after the trigger could not be written',
    )
  })

  test.each([
    [{ state: 'whole' as const, events: 1 }, /^whole: 1 event$/],
    [{ state: 'open' as const, events: 2 }, /^open: 2 events so far; .*flog recover/],
    [
      { state: 'truncated' as const, events: 2 },
      /^truncated: .*2 events could be read, nobody knows how many are lost/,
    ],
    [{ state: 'corrupt' as const, events: 2, eventsLost: 1 }, /^corrupt: 2 events could be read, 1 is lost/],
    [
      { state: 'corrupt' as const, events: 2, eventsLost: 0 },
      /^corrupt: 2 events could be read, none is lost/,
    ],
  ])('a verdict of %p', (verdict, line) => {
    const rest = {
      damage: [],
      damageOmitted: 0,
      plainBytes: 0,
      wholeBytes: 0,
      hasHeader: true,
      hasTrailer: true,
    }
    expect(verdictLine({ ...rest, ...verdict }, PLAIN)).toMatch(line)
  })

  test('of a copy of a damaged file, what it lacks', () => {
    const source = { events: 10, state: 'truncated' as const }
    const lines = (lost?: number) => {
      const made = { ...TRAILER, source: { ...source, ...(lost !== undefined && { lost }) } }
      return trailerLines(HEADER, made, PLAIN).join('\n')
    }
    expect(lines(4)).toContain('made of a file that was truncated: it lacks 4 events')
    expect(lines()).toContain('made of a file that was truncated: nobody knows how many events it lacks')
    expect(trailerLines(HEADER, { ...TRAILER, source: { ...source, state: 'whole' } }, PLAIN)).toEqual(
      trailerLines(HEADER, TRAILER, PLAIN),
    )
  })

  test('a log of Foolscap is never said to be one that flog recover would finish', () => {
    const open = { state: 'open' as const, events: 3, damage: [], damageOmitted: 0 }
    const verdict = { ...open, plainBytes: 0, wholeBytes: 0, hasHeader: true, hasTrailer: false }
    expect(verdictLine(verdict, PLAIN, { ...HEADER, extra: { foolscap: 'log-file-observer' } })).toBe(
      '3 events; a log of Foolscap says nowhere that it is complete',
    )
    expect(verdictLine(verdict, PLAIN, HEADER)).toContain('flog recover DIR')
  })
})
