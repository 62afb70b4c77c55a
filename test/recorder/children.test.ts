import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { identityOfPid } from '../../src/base/identity'
import { readSummary } from '../../src/incident/summary'
import { Children } from '../../src/recorder/children'
import { until } from '../remote/support/rig'
import { bundle } from './bundle'
import { RecorderRig } from './rig'

let rig: RecorderRig
beforeEach(() => {
  rig = new RecorderRig()
})
const running: ChildProcess[] = []
afterEach(async () => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
  await rig.end()
})

/** Waits until it is told something. */
function waiting(): ChildProcess {
  const child = spawn(process.execPath, ['-e', 'process.stdin.once("data", (d) => process.exit(Number(d)))'])
  running.push(child)
  return child
}

test.each([
  ['by a signal', (child: ChildProcess) => child.kill('SIGKILL'), { signal: 'SIGKILL' }],
  ['with a code', (child: ChildProcess) => child.stdin?.write('3'), { code: 3 }],
])('how a child ended is known by its identity: %s', async (_, end, expected) => {
  let told = 0
  const children = new Children(() => told++)
  const child = waiting()
  children.watch(child)
  children.watch(child)
  const identity = identityOfPid(child.pid ?? 0)
  expect(children.of(identity)).toBeUndefined()
  end(child)
  await once(child, 'exit')
  expect(children.of(identity)).toEqual(expected)
  expect(children.of({ ...identity, startTime: '1' })).toBeUndefined()
  expect(told).toBe(1)
})

test('one that could not be started, and one that has ended, are passed over', async () => {
  const children = new Children(() => {
    throw new Error('not expected')
  })
  const missing = spawn(join(rig.root, 'missing'))
  children.watch(missing)
  await once(missing, 'error')
  const ended = waiting()
  ended.kill()
  await once(ended, 'exit')
  children.watch(ended)
  expect([missing.listenerCount('exit'), ended.listenerCount('exit')]).toEqual([0, 0])
})

test('after close nobody listens', () => {
  const children = new Children(() => {})
  const child = waiting()
  children.watch(child)
  children.close()
  expect(child.listenerCount('exit')).toBe(0)
})

test('what a watched child leaves when it is killed is finished at once', async () => {
  const recorder = rig.recorder({ service: 'shop' })
  const program = bundle('lineage', rig.root)
  // The environment of a test is not the one that children get.
  const child = recorder.watchChild(fork(program, ['', 'child that waits'], { env: { ...process.env } }))
  running.push(child)
  await once(child, 'message')
  expect(rig.files()).toEqual([expect.stringMatching(/\.incident\.flog$/)])
  child.kill('SIGKILL')
  // The recorder's clock stands still: no look of its own.
  await until(() => rig.files().every((name) => name.endsWith('.gz')))
  const [name = ''] = rig.files()
  expect(await readSummary(join(rig.directory, name))).toMatchObject({
    ...{ pid: child.pid, service: 'shop', closeReason: 'adopted', label: `child of ${process.pid}` },
  })
})
