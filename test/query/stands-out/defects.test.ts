import { whatStandsOut } from '../../../src/query/stands-out'
import { type Circumstances, quietly, recordingOf, ring } from './recordings'

const asked = { kind: 'manual', trigger: { severity: 'info', facility: 'flog' } } as const
const found = (circumstances: Circumstances) =>
  whatStandsOut(recordingOf(quietly(), { ...asked, ...circumstances })).map(({ text }) => text)

test('a whole recording of a quiet program has none', () => {
  expect(found({ rings: [ring('debug', -60), ring('info', -600)] })).toEqual([])
})

test('a ring that reaches back a few seconds', () => {
  expect(found({ rings: [ring('debug', -2), ring('info', -60)] })).toEqual([
    'recording: short history: debug 2 s (a larger ring reaches back further)',
  ])
})

test('events that the disk refused, and incidents that the limits held back', () => {
  const suppressed = { perHour: 0, perFingerprint: 11, coolDown: 1 }
  expect(found({ trailer: { lost: 1 }, header: { suppressed } })).toEqual([
    'recording: 1 event after the trigger could not be written to the disk',
    'recording: 12 incidents before this one held back by the limits',
  ])
})

test('a damaged file', () => {
  const verdict = {
    damage: [],
    damageOmitted: 0,
    plainBytes: 1,
    wholeBytes: 1,
    hasHeader: true,
    hasTrailer: true,
  }
  const recording = recordingOf(quietly(), asked)
  expect(
    whatStandsOut({ ...recording, verdict: { ...verdict, state: 'corrupt', events: 600, eventsLost: 7 } }),
  ).toMatchObject([{ kind: 'recording', text: 'recording: the file is corrupt, 7 events lost' }])
})

test('a wall clock that was set', () => {
  const jump = {
    at: -5,
    facility: 'flog.clock',
    message: 'the wall clock moved by {ms} ms',
    fields: { ms: -3000 },
  }
  expect(whatStandsOut(recordingOf([...quietly(), jump], asked))).toMatchObject([
    { kind: 'recording', count: 1, filter: 'facility=flog.clock' },
  ])
})
