import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { BounceError } from '../../../src/collector/engine/errors'
import { type EngineEvent, EventStream } from '../../../src/collector/engine/events'
import { type Flag, flagManifold, Switch } from '../../../src/collector/engine/flag'
import { partRef } from '../../../src/collector/engine/part'
import { BOUNCE_MS, Probe, Rig, settle } from './rig'

const MiB = 2 ** 20

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().heapUsed
}

test('45. ten thousand bounces leave no timer, no listener and no memory', async () => {
  const rig = new Rig()
  const source = new Switch(true)
  const flag = partRef<Flag>('flag')
  rig.engine.install(flag, flagManifold(source))
  let listening = 0
  const probes = Array.from({ length: 5 }, (_, i) => {
    const probe = new Probe(`part ${i}`, i === 0 ? ['flag'] : [`part ${i - 1}`])
    probe.onStart = ({ signal }) => {
      listening++
      signal.addEventListener('abort', () => listening--, { once: true })
      probe.contexts.length = 0
      return probe.worker()
    }
    rig.engine.install({ name: probe.name }, probe.manifold)
    return probe
  })
  const turn = async () => {
    await settle()
    rig.clock.advance(BOUNCE_MS)
  }
  const bounce = async (times: number) => {
    for (let i = 0; i < times; i++) {
      await probes[4]?.fail(new BounceError())
      await turn()
    }
    for (let i = 0; i < 20; i++) await turn()
  }
  await bounce(20)
  await bounce(2000)
  const before = heapBytes()
  await bounce(8000)
  expect(heapBytes() - before).toBeLessThan(1 * MiB)
  for (let i = 0; i < 100; i++) {
    source.set(i % 2 === 1)
    for (let j = 0; j < 12; j++) await turn()
  }
  expect(probes[4]?.starts).toBeGreaterThan(10_000)
  expect(probes.map(({ live }) => live)).toEqual([1, 1, 1, 1, 1])
  expect([rig.clock.pending, listening, source.listeners]).toEqual([0, 5, 1])
  rig.engine.kill()
  await rig.end()
  expect([rig.clock.pending, listening, source.listeners]).toEqual([0, 0, 0])
})

test('45. a reader of events that leaves is forgotten, and what it had not read', async () => {
  const stream = new EventStream()
  const event = (part: string): EngineEvent => ({ at: 0, type: 'started', part })
  const reader = stream[Symbol.asyncIterator]()
  stream.emit(event('a'))
  expect(await reader.next()).toEqual({ done: false, value: event('a') })
  const waiting = reader.next()
  stream.emit(event('b'))
  stream.emit(event('c'))
  expect((await waiting).value).toEqual(event('b'))
  await reader.return?.()
  stream.emit(event('d'))
  expect(await reader.next()).toEqual({ done: true, value: undefined })
  expect(stream.readers).toBe(0)
})
