import { whatStandsOut } from '../../../src/query/stands-out'
import { quietly, recordingOf } from './recordings'

const STACK = `    at listOnTimeout (node:internal/timers:581:17)
    at matchQuery (/srv/shop/search.js:7:130)
    at /srv/shop/search.js:9:5`

const trigger = (stack: string) => ({
  severity: 'error',
  facility: 'process.stall',
  message: 'the event loop has not turned for {ms} ms',
  fields: { ms: 5009, stack },
})

test('where the event loop was stuck comes first, and the silence of that time behind it', () => {
  const said = quietly().filter(({ at }) => at < -5)
  const [first] = whatStandsOut(recordingOf(said, { kind: 'stall', trigger: trigger(STACK) }))
  expect(first?.text).toMatch(
    /^the event loop was stuck in matchQuery \(search\.js:7\); nothing logged for 5/,
  )
  expect(first?.evidence).toEqual([said.length])
})

test('without a stack, or for another trigger, nothing is said of it', () => {
  const late = recordingOf(quietly(), { kind: 'stall', trigger: trigger('follows, if it can be had') })
  const other = recordingOf(quietly(), { kind: 'event', trigger: trigger(STACK) })
  for (const recording of [late, other])
    expect(whatStandsOut(recording).filter(({ kind }) => kind === 'stall')).toEqual([])
})
