import type { Decision } from '../../../src/collector/kernel/event'
import { KeepingSink, newRig, parsedLines, turns } from './rig'

test('8. ask without a policy gives continue for a warning, and logs at the level that was given', async () => {
  const rig = newRig()
  const decision = await rig.kernel.ask({ part: 'p', level: 'warning', error: new Error('odd') })
  expect(decision).toEqual({ action: 'continue', reason: 'default for the level warning' })
  expect(parsedLines(rig)).toMatchObject([{ kind: 'action', level: 'warning', message: 'odd' }])
})

test('9. ask is answered restart for an error, and the row says so', async () => {
  const rig = newRig()
  await expect(rig.kernel.ask({ part: 'p', error: new Error('bad') })).resolves.toMatchObject({
    action: 'restart',
  })
  await turns()
  expect(rig.central.rows).toMatchObject([
    { message: 'bad', action: 'restart', reason: 'default for errors' },
  ])
  expect(rig.kernel.state('p')).toMatchObject([{ lastAction: 'restart', total: 1 }])
})

test('9. the first policy that answers decides', async () => {
  const rig = newRig({
    policies: [
      () => undefined,
      (event, state) => (state.countInWindow > 1 ? { action: 'kill', reason: event.part } : undefined),
      () => ({ action: 'retry', delayMs: 250, reason: 'once more' }),
    ],
  })
  const ask = () => rig.kernel.ask({ part: 'p', error: new Error('again') })
  await expect(ask()).resolves.toEqual({ action: 'retry', delayMs: 250, reason: 'once more' })
  await expect(ask()).resolves.toEqual({ action: 'kill', reason: 'p' })
  expect(rig.metrics.value('kernel_decision_total', { source: 'policy' })).toBe(2)
})

test('10. the 6th restart within 60 s escalates, whatever the errors are, and of that part only', async () => {
  const rig = newRig()
  const ask = (part: string, message: string) => rig.kernel.ask({ part, error: new Error(message) })
  const asked = ['a', 'b', 'c', 'd', 'e', 'f'].map((message) => ask('p', message))
  const actions = (await Promise.all(asked)).map(({ action }) => action)
  expect(actions).toEqual(['restart', 'restart', 'restart', 'restart', 'restart', 'escalate'])
  await expect(ask('q', 'a')).resolves.toMatchObject({ action: 'restart' })
  rig.clock.advance(60_001)
  await expect(ask('p', 'a')).resolves.toMatchObject({ action: 'restart' })
  expect(rig.metrics.value('kernel_decision_total', { source: 'intensity' })).toBe(1)
})

test('11. counters fall out of the window after 60 s', () => {
  const rig = newRig()
  const report = () => rig.kernel.report({ part: 'p', error: new Error('again') })
  report()
  rig.clock.advance(30_000)
  report()
  expect(rig.kernel.state('p')).toMatchObject([{ countInWindow: 2, total: 2 }])
  rig.clock.advance(30_000)
  expect(rig.kernel.state('p')).toMatchObject([{ countInWindow: 1, total: 2 }])
  rig.clock.advance(30_000)
  expect(rig.kernel.state('p')).toMatchObject([
    { countInWindow: 0, total: 2, firstSeen: 1e6, lastSeen: 31e6 },
  ])
})

test('11. one trouble has one state, whatever numbers, ids and paths its message has; each part has its own', () => {
  const rig = newRig()
  const error = (id: string) => new Error(`row ${id} of /var/${id}/x is locked by ${id}`)
  for (const id of ['1', '22', 'deadbeef01', '0190b3a4-5c6d-7e8f-9a0b-c1d2e3f40516']) {
    rig.kernel.report({ part: 'p', error: error(id) })
  }
  rig.kernel.report({ part: 'q', error: error('1') })
  expect(rig.kernel.state()).toMatchObject([
    { part: 'p', total: 4 },
    { part: 'q', total: 1 },
  ])
})

test.each([
  [
    'throws',
    () => {
      throw new Error('a bug')
    },
  ],
  ['rejects', () => Promise.reject(new Error('a bug'))],
  ['gives no decision', () => ({ action: 'explode' }) as unknown as Decision],
])('12. a policy that %s is reported, and the next one is asked', async (_, policy) => {
  const rig = newRig({ policies: [policy, () => ({ action: 'retry', reason: 'second' })] })
  await expect(rig.kernel.ask({ part: 'p', error: new Error('bad') })).resolves.toMatchObject({
    reason: 'second',
  })
  expect(parsedLines(rig)).toMatchObject([
    { part: 'p', message: 'bad' },
    { part: 'kernel', error: { code: 'FLOG_KERNEL_POLICY_FAILED' } },
  ])
})

test('13. a policy that never settles is passed over after 5 s, and does not hold up the next question', async () => {
  let signal: AbortSignal | undefined
  const rig = newRig({
    policies: [
      (event, _state, asked) => {
        if (event.message !== 'first') return { action: 'retry', reason: 'answered' }
        signal = asked
        return new Promise(() => {})
      },
    ],
  })
  const first = rig.kernel.ask({ part: 'p', error: new Error('first') })
  await turns()
  const second = rig.kernel.ask({ part: 'p', error: new Error('second') }, { timeoutMs: 60_000 })
  rig.clock.advance(4999)
  await turns()
  expect(rig.metrics.value('kernel_decision_total')).toBe(0)
  rig.clock.advance(1)
  await expect(first).resolves.toMatchObject({ action: 'restart' })
  await expect(second).resolves.toMatchObject({ action: 'retry' })
  expect(signal?.aborted).toBe(true)
  expect(rig.metrics.value('kernel_decision_total', { action: 'restart', source: 'timeout' })).toBe(1)
  await turns()
  expect(rig.clock.pending).toBe(0)
})

test.each(['before', 'while'])(
  '14. ask is aborted %s it waits: it rejects, and is logged and forwarded',
  async (when) => {
    const rig = newRig({ policies: [() => new Promise(() => {})] })
    const abort = new AbortController()
    const reason = new Error('not needed any more')
    if (when === 'before') abort.abort(reason)
    const answer = rig.kernel.ask({ part: 'p', error: new Error('bad') }, { signal: abort.signal })
    const settled = expect(answer).rejects.toMatchObject({ code: 'FLOG_ABORTED', cause: reason })
    abort.abort(reason)
    await settled
    await turns()
    expect(parsedLines(rig)).toMatchObject([{ message: 'bad' }])
    expect(rig.central.rows).toMatchObject([{ message: 'bad' }])
    expect(rig.central.rows[0]).not.toHaveProperty('action')
  },
)

test('15. stop answers three who wait with kill, because of the shutdown, and resolves', async () => {
  const rig = newRig({ policies: [() => new Promise(() => {})] })
  const asked = ['a', 'a', 'b'].map((part) => rig.kernel.ask({ part, error: new Error('bad') }))
  await expect(rig.kernel.stop({ flushMs: 10 })).resolves.toBeUndefined()
  const shutdown = { action: 'kill', reason: 'shutdown' }
  await expect(Promise.all(asked)).resolves.toEqual([shutdown, shutdown, shutdown])
  await expect(rig.kernel.ask({ part: 'a', error: 'late' })).resolves.toEqual(shutdown)
  expect(rig.central.rows).toMatchObject([{ action: 'kill' }, { action: 'kill' }, { action: 'kill' }])
  expect(rig.kernel.stop()).toBe(rig.kernel.stop())
})

test('24. kill carries the work that was at hand to the row and to the sinks, ahead of no other of its part', async () => {
  const sink = new KeepingSink(true)
  const rig = newRig({ foldMs: 10_000, policies: [() => ({ action: 'kill', reason: 'poison' })] }, [sink])
  rig.kernel.report({ part: 'indexer', error: new Error('before') })
  rig.kernel.report({ part: 'other', error: new Error('folded') })
  const work = { incident: '20261122-1', publisher: 'shop', token: 'hunter2' }
  await rig.kernel.ask({ part: 'indexer', error: new Error('poison'), work })
  await turns()
  expect(rig.central.rows).toMatchObject([
    { message: 'before' },
    {
      message: 'poison',
      action: 'kill',
      work: { incident: '20261122-1', publisher: 'shop', token: '[redacted]' },
    },
  ])
  expect(sink.events).toMatchObject([
    { message: 'before' },
    { decision: { action: 'kill' }, work: { publisher: 'shop' } },
  ])
})

test('(e) what goes on and on is told louder', () => {
  const rig = newRig({ louder: { after: 3, level: 'error' } })
  for (let i = 0; i < 4; i++) {
    rig.kernel.report({ part: 'p', level: 'warning', error: new Error('again') })
    rig.clock.advance(1001)
  }
  expect(parsedLines(rig).map(({ level }) => level)).toEqual(['warning', 'warning', 'warning', 'error'])
})

test('a part that has a kernel of its own scope cannot speak for another one', async () => {
  const rig = newRig()
  const scoped = rig.kernel.scoped('indexer')
  scoped.report({ error: 'x' })
  await scoped.ask({ error: new Error('y') })
  expect(parsedLines(rig).map(({ part }) => part)).toEqual(['indexer', 'indexer'])
})
