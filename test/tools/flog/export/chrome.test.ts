import { chromeTarget } from '../../../../tools/flog/export/chrome'
import { event, expectHarmless, HOSTILE, written } from './events'

interface TraceEvent {
  readonly ph: string
  readonly tid: number
  readonly ts: number
  readonly dur?: number
  readonly name: string
  readonly args: { readonly name?: string; readonly span?: string }
}

async function traceOf(events: Parameters<typeof written>[1]): Promise<readonly TraceEvent[]> {
  const out = await written(chromeTarget, events, { service: 'shop' })
  return (JSON.parse(out) as { traceEvents: TraceEvent[] }).traceEvents
}

test('facilities are tracks, with the events as marks', async () => {
  const trace = await traceOf([
    { event: event({ facility: 'db' }) },
    { event: event({ seq: 2, facility: 'http' }), mark: 'trigger' },
  ])
  const tracks = trace.filter(({ name }) => name === 'thread_name')
  expect(tracks.map(({ args }) => args.name)).toEqual(['db', 'http'])
  expect(trace.filter(({ ph }) => ph === 'i').map(({ tid }) => tid)).toEqual(tracks.map(({ tid }) => tid))
  expect(trace.find(({ name }) => name === 'process_name')?.args.name).toBe('shop')
})

test('spans are slices; those that overlap without nesting stand on tracks of their own', async () => {
  const at = (spanId: string, time: number) => ({ event: event({ spanId, time, facility: 'http' }) })
  const trace = await traceOf([at('a', 0), at('b', 10), at('c', 20), at('b', 30), at('a', 50), at('c', 90)])
  const slices = trace.filter(({ ph }) => ph === 'X')
  expect(slices.map(({ args, ts, dur }) => [args.span, ts, dur])).toEqual([
    ['a', 0, 50],
    ['b', 10, 20],
    ['c', 20, 70],
  ])
  const [a, b, c] = slices.map(({ tid }) => tid)
  expect(b).toBe(a)
  expect(c).not.toBe(a)
})

test('spans of two traces are two, also where they have the same id', async () => {
  const at = (traceId: string, time: number) => ({ event: event({ traceId, spanId: '1', time }) })
  const trace = await traceOf([at('a', 0), at('b', 900), at('a', 10), at('b', 950)])
  expect(trace.filter(({ ph }) => ph === 'X').map(({ ts, dur }) => [ts, dur])).toEqual([
    [0, 10],
    [900, 50],
  ])
})

test('a span during which the clock was set back lasts from its earliest event to its latest', async () => {
  const at = (time: number) => ({ event: event({ spanId: 'a', time }) })
  const trace = await traceOf([at(500), at(200), at(300)])
  expect(trace.filter(({ ph }) => ph === 'X').map(({ ts, dur }) => [ts, dur])).toEqual([[200, 300]])
})

test('no event gives a trace all the same', async () => {
  expect(JSON.parse(await written(chromeTarget, []))).toHaveProperty('traceEvents')
})

test('nothing logged acts on a terminal', async () => {
  const fields = { [HOSTILE]: HOSTILE }
  expectHarmless(
    await written(chromeTarget, [{ event: event({ message: HOSTILE, facility: HOSTILE, fields }) }]),
  )
})
