import { parseFilter } from '../../src/query/filter'
import { whatStandsOut } from '../../src/query/stands-out'
import { evenly, quietly, recordingOf, type Said } from './stands-out/recordings'

const route = '/refund'
const waits = evenly(3000, -60, 0, (at) => ({
  at,
  facility: 'db.pool',
  message: 'connection taken',
  fields: { wait: at < -30 ? 4 : 4900 },
}))
const failures: readonly Said[] = evenly(19, -20, -1, (at, n) => ({
  at,
  severity: 'error',
  facility: 'payment',
  message: 'payment {id} failed',
  fields: { id: n, route },
}))
const successes = evenly(200, -60, 0, (at, n) => ({
  at: at + 0.003,
  facility: 'payment',
  message: 'payment {id} done',
  fields: { id: n, route: n % 20 === 0 ? route : '/pay' },
}))

test('without events, header and trailer there is nothing to say', () => {
  expect(whatStandsOut({ header: undefined, trailer: undefined, events: [] })).toEqual([])
})

test('findings are ranked, one line each, with evidence that the filter shows', () => {
  const recording = recordingOf([...quietly(), ...waits, ...failures, ...successes])
  const found = whatStandsOut(recording)
  expect(found.length).toBeGreaterThanOrEqual(2)
  const scores = found.map(({ score }) => score)
  expect(scores).toEqual([...scores].sort((one, other) => other - one))
  for (const { text, filter = '', evidence } of found) {
    expect(text).not.toMatch(/\n/)
    const wanted = parseFilter(filter)
    const context = { triggerTime: recording.header?.trigger.event.time ?? 0 }
    const shown = recording.events
      .filter(({ event }) => wanted.matches(event, context))
      .map(({ event }) => event.seq)
    expect({ filter, missing: evidence.filter((seq) => !shown.includes(seq)) }).toEqual({
      filter,
      missing: [],
    })
  }
})

test('evidence is bounded, the count is not', () => {
  const [first] = whatStandsOut(recordingOf([...quietly(), ...waits]))
  expect(first).toMatchObject({ kind: 'duration', count: 1500 })
  expect(first?.evidence).toHaveLength(1000)
})

test('one cause is one line', () => {
  const found = whatStandsOut(recordingOf([...quietly(), ...failures, ...successes]))
  const lines = found.filter(({ text }) => text.includes('payment'))
  expect(lines).toHaveLength(1)
  expect(lines[0]?.text).toContain('"payment {id} failed" first seen 20 s before')
  expect(lines[0]?.text).toMatch(/route=\/refund in 19 of 19/)
  expect(lines[0]?.text).toContain('19 of ')
})

test('what came after the trigger is no cause', () => {
  const quiet = recordingOf(quietly(), { kind: 'manual', trigger: { severity: 'info', facility: 'flog' } })
  const last = quiet.events.at(-1)?.event
  if (last === undefined) throw new Error('there is no trigger')
  const after = failures.map((_, n) => ({
    event: {
      ...last,
      seq: last.seq + 1 + n,
      time: last.time + n,
      severity: 17,
      facility: 'payment',
      message: 'failed',
    },
  }))
  expect(whatStandsOut({ ...quiet, events: [...quiet.events, ...after] })).toEqual([])
})
