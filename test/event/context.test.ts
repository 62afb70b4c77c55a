import { EventEmitter, once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { currentContext, runWithContext } from '../../src/event/context'

describe('context', () => {
  test('is there inside, and nowhere else', () => {
    expect(currentContext()).toBeUndefined()
    expect(runWithContext({ traceId: 'a' }, () => currentContext())).toEqual({ traceId: 'a' })
    expect(currentContext()).toBeUndefined()
  })

  test('gives back what the action gives back, and lets through what it throws', async () => {
    expect(runWithContext({}, () => 7)).toBe(7)
    await expect(runWithContext({}, async () => 'later')).resolves.toBe('later')
    expect(() =>
      runWithContext({}, () => {
        throw new RangeError('mine')
      }),
    ).toThrow('mine')
    expect(currentContext()).toBeUndefined()
  })

  test('is laid over the one outside, field by field', () => {
    const seen = runWithContext({ traceId: 'a', spanId: 's', fields: { user: 1, shard: 2 } }, () =>
      runWithContext({ spanId: 't', parent: 5, fields: { shard: 3 } }, () => currentContext()),
    )
    expect(seen).toEqual({ traceId: 'a', spanId: 't', parent: 5, fields: { user: 1, shard: 3 } })
  })

  test('goes along with promises, timers, microtasks and callbacks', async () => {
    const traces = await runWithContext({ traceId: 'a' }, async () => {
      const seen: unknown[] = []
      const look = (): number => seen.push(currentContext()?.traceId)
      await pause(1)
      look()
      await new Promise<void>((resolve) =>
        setImmediate(() => {
          look()
          resolve()
        }),
      )
      await new Promise<void>((resolve) =>
        process.nextTick(() => {
          look()
          resolve()
        }),
      )
      await new Promise<void>((resolve) =>
        queueMicrotask(() => {
          look()
          resolve()
        }),
      )
      return seen
    })
    expect(traces).toEqual(['a', 'a', 'a', 'a'])
  })

  test('is each its own for activities side by side', async () => {
    const activity = (traceId: string): Promise<unknown[]> =>
      runWithContext({ traceId }, async () => {
        const seen: unknown[] = []
        for (let i = 0; i < 5; i++) {
          await pause(1)
          seen.push(currentContext()?.traceId)
        }
        return seen
      })
    expect(await Promise.all(['a', 'b', 'c'].map(activity))).toEqual(
      ['a', 'b', 'c'].map((id) => Array(5).fill(id)),
    )
  })

  test('of an emitter is that of who emits', async () => {
    const emitter = new EventEmitter()
    const said = once(emitter, 'said')
    emitter.on('ask', () => emitter.emit('said', currentContext()?.traceId))
    runWithContext({ traceId: 'emits' }, () => emitter.emit('ask'))
    expect(await said).toEqual(['emits'])
  })
})
