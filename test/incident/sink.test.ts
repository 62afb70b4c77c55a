import { mkdtempSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FlogError } from '../../src/base/errors'
import { IncidentDirectory } from '../../src/incident/directory'
import { IncidentSink } from '../../src/incident/sink'
import { UnwrittenMemory } from '../../src/incident/unwritten'
import { FakeClock } from '../remote/support/fake-clock'
import { incident, OPENED_AT } from './samples'

let root: string
let path: string
let clock: FakeClock
let told: (FlogError | 'recovered')[]
const sinks: IncidentSink[] = []
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'flog-sink-'))
  path = join(root, 'incidents')
  clock = new FakeClock()
  told = []
})
afterEach(() => {
  for (const sink of sinks.splice(0)) sink.close()
  rmSync(root, { recursive: true, force: true })
})

function newSink(unwritten?: UnwrittenMemory, onTrouble?: () => void): IncidentSink {
  const sink = new IncidentSink({
    directory: new IncidentDirectory({ path }),
    openedAt: OPENED_AT,
    id: incident(1),
    clock,
    ...(unwritten !== undefined && { unwritten }),
    onTrouble: (error) => {
      told.push(error)
      onTrouble?.()
    },
    onRecovered: () => told.push('recovered'),
  })
  sinks.push(sink)
  return sink
}

const bytes = (text: string) => Buffer.from(text)
const contentsOf = (sink: IncidentSink) => readFileSync(sink.path ?? '', 'utf8')
const block = () => writeFileSync(path, 'in the way')

test('bytes are with the system when write() returns, and may be changed then', () => {
  const sink = newSink()
  const reused = bytes('one ')
  sink.write(reused)
  reused.fill(0)
  sink.write(bytes('two'))
  expect(contentsOf(sink)).toBe('one two')
  expect(sink.isWritten).toBe(true)
})

test('what the disk refuses waits in order, is told once, and is written by the timer', () => {
  block()
  const sink = newSink()
  const reused = bytes('one ')
  expect(sink.write(reused)).toBe(true)
  reused.fill(0)
  sink.write(bytes('two '))
  expect([sink.isWritten, sink.path, told.length]).toEqual([false, undefined, 1])
  clock.advance(1000)
  expect(told).toHaveLength(1)
  unlinkSync(path)
  sink.write(bytes('three'))
  clock.advance(2000)
  expect(contentsOf(sink)).toBe('one two three')
  expect(told.at(-1)).toBe('recovered')
})

test('the disk is tried again less and less often, and at once after it recovered', () => {
  block()
  const tries: number[] = []
  const directory = new IncidentDirectory({ path })
  const create = directory.createPlainSync.bind(directory)
  jest.spyOn(directory, 'createPlainSync').mockImplementation((...args) => {
    tries.push(clock.monotonic())
    return create(...args)
  })
  const sink = new IncidentSink({
    directory,
    openedAt: OPENED_AT,
    id: incident(1),
    clock,
    onTrouble: () => {},
  })
  sinks.push(sink)
  sink.write(bytes('x'))
  clock.advance(120_000)
  const waits = tries.slice(1).map((time, i) => time - (tries[i] ?? 0))
  expect(waits.slice(0, 7)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
})

test('flush() says whether all of it is with the system', () => {
  block()
  const sink = newSink()
  sink.write(bytes('x'))
  expect(sink.flush()).toBe(false)
  unlinkSync(path)
  expect(sink.flush()).toBe(true)
  expect(told).toHaveLength(2)
})

test('what waits is bounded over all sinks that share the memory, and given back', () => {
  block()
  const unwritten = new UnwrittenMemory(100)
  const [a, b] = [newSink(unwritten), newSink(unwritten)]
  expect(a.write(Buffer.alloc(80))).toBe(true)
  expect(b.write(Buffer.alloc(30))).toBe(false)
  expect(b.write(Buffer.alloc(20))).toBe(true)
  b.writeAlways(Buffer.alloc(30))
  expect(unwritten.bytes).toBe(130)
  b.close()
  expect(unwritten.bytes).toBe(80)
  unlinkSync(path)
  a.flush()
  expect(unwritten.bytes).toBe(0)
})

test('who is told of trouble may write: those bytes come after the ones that were refused', () => {
  block()
  const sink = newSink(undefined, () => sink.write(bytes('told ')))
  sink.write(bytes('first '))
  sink.write(bytes('last'))
  unlinkSync(path)
  sink.flush()
  expect(contentsOf(sink)).toBe('first told last')
})

test('a file that was removed is written anew by flush(), and grows on', () => {
  const sink = newSink()
  sink.write(bytes('one '))
  rmSync(path, { recursive: true })
  expect(sink.isRemoved).toBe(true)
  sink.write(bytes('two '))
  expect(sink.flush()).toBe(true)
  expect(sink.isRemoved).toBe(false)
  sink.write(bytes('three'))
  expect(contentsOf(sink)).toBe('one two three')
})

test('a file that was removed and cannot be written anew stays open, for another try', () => {
  const sink = newSink()
  sink.write(Buffer.alloc(3_000_000, 'x'))
  rmSync(path, { recursive: true })
  block()
  expect(sink.flush()).toBe(false)
  unlinkSync(path)
  expect(sink.flush()).toBe(true)
  expect(contentsOf(sink)).toHaveLength(3_000_000)
})

test('a removed file whose name another one took since is not written over', () => {
  const sink = newSink()
  sink.write(bytes('mine'))
  unlinkSync(sink.path ?? '')
  writeFileSync(sink.path ?? '', 'not mine')
  expect(sink.flush()).toBe(false)
  expect(contentsOf(sink)).toBe('not mine')
})

test('close() lets the file go, once, and stops trying', () => {
  block()
  const sink = newSink()
  sink.write(bytes('x'))
  sink.close()
  sink.close()
  expect(clock.pending).toBe(0)
  unlinkSync(path)
  clock.advance(60_000)
  expect(() => readdirSync(path)).toThrow('ENOENT')
})

test('asking for the disk has no effect where there is no file, and none after close()', async () => {
  const sink = newSink()
  sink.syncNow()
  sink.startSync()
  sink.write(bytes('x'))
  sink.syncNow()
  sink.startSync()
  sink.close()
  sink.startSync()
  await new Promise((resolve) => setImmediate(resolve))
  expect(told).toEqual([])
})
