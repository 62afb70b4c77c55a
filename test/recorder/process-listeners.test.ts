import type { EventEmitter } from 'node:events'
import { observeProcess, observeSignal } from '../../src/recorder/process-listeners'
import { RecorderRig } from './rig'

const EVENTS = ['uncaughtExceptionMonitor', 'warning', 'beforeExit', 'SIGUSR2', 'exit'] as const
const ALL = { processEvents: { beforeExit: 'event', signals: ['SIGUSR2'] } } as const

let rig: RecorderRig
let before: readonly number[]
beforeEach(() => {
  rig = new RecorderRig()
  before = counts()
})
afterEach(() => rig.end())

function counts(): readonly number[] {
  return EVENTS.map((event) => process.listenerCount(event))
}

test('many recorders have one listener for each event, and when all are closed there is none', async () => {
  const recorders = Array.from({ length: 20 }, () => rig.recorder(ALL))
  expect(counts()).toEqual(before.map((count) => count + 1))
  expect([process.listenerCount('uncaughtException'), process.listenerCount('unhandledRejection')]).toEqual([
    0, 0,
  ])
  for (const recorder of recorders.slice(1)) void recorder.close()
  expect(counts().slice(0, 4)).toEqual(before.slice(0, 4).map((count) => count + 1))
  await rig.end()
  expect(counts()).toEqual(before)
})

test('each recorder records what it was asked to', () => {
  const [one, other] = [rig.recorder(), rig.recorder({ processEvents: { uncaught: false } })]
  emit('uncaughtExceptionMonitor', new Error('broken'), 'uncaughtException')
  expect(one.currentIncident?.trigger.kind).toBe('crash')
  expect(other.currentIncident).toBeUndefined()
})

test('another copy of this module has the same listener', () => {
  jest.isolateModules(() => {
    const copy =
      require('../../src/recorder/process-listeners') as typeof import('../../src/recorder/process-listeners')
    expect(copy.observeProcess).not.toBe(observeProcess)
    const told: string[] = []
    const forget = [
      observeProcess('warning', () => told.push('here')),
      copy.observeProcess('warning', () => told.push('there')),
    ]
    expect(process.listenerCount('warning')).toBe((before[1] ?? 0) + 1)
    process.emit('warning', new Error('odd'))
    expect(told).toEqual(['here', 'there'])
    for (const take of forget) take()
    expect(counts()).toEqual(before)
  })
})

test('an observer that throws keeps neither the others nor the program from going on', () => {
  const told: string[] = []
  const forget = [
    observeProcess('uncaughtExceptionMonitor', () => {
      throw new Error('broken observer')
    }),
    observeProcess('uncaughtExceptionMonitor', () => told.push('other')),
  ]
  emit('uncaughtExceptionMonitor', new Error('broken'), 'uncaughtException')
  for (const take of forget) take()
  expect(told).toEqual(['other'])
})

test('a listener that the program took off is put back by the next recorder', () => {
  const forget = observeProcess('beforeExit', () => {})
  process.removeAllListeners('beforeExit')
  const forgetOther = observeProcess('beforeExit', () => {})
  expect(process.listenerCount('beforeExit')).toBe(1)
  forget()
  forgetOther()
  expect(process.listenerCount('beforeExit')).toBe(0)
})

test('who listens to a signal finds nobody else there, and every signal is seen', async () => {
  const seen: unknown[] = []
  const found: number[] = []
  const forget = observeSignal('SIGUSR2', (signal, others) => seen.push([signal, others]))
  const listener = (): void => void found.push(process.listenerCount('SIGUSR2'))
  process.on('SIGUSR2', listener)
  process.emit('SIGUSR2')
  await Promise.resolve()
  process.emit('SIGUSR2')
  await Promise.resolve()
  process.off('SIGUSR2', listener)
  forget()
  expect(seen).toEqual([
    ['SIGUSR2', 1],
    ['SIGUSR2', 1],
  ])
  expect(found).toEqual([1, 1])
  expect(process.listenerCount('SIGUSR2')).toBe(0)
})

test('warnings of a recorder itself are not recorded', () => {
  const recorder = rig.recorder({ processEvents: { warnings: 'trigger' } })
  process.emit('warning', Object.assign(new Error('no room'), { name: 'FlogWarning' }))
  expect(recorder.currentIncident).toBeUndefined()
  process.emit('warning', new Error('odd'))
  expect(recorder.currentIncident?.trigger.reason).toBe('Error: odd')
})

test('the secrets of an error are in neither its event nor the reason', () => {
  const recorder = rig.recorder()
  const error = Object.assign(new Error('no way to postgres://app:hush@db/shop'), { password: 'hush' })
  emit('uncaughtExceptionMonitor', error, 'uncaughtException')
  const { reason } = recorder.currentIncident?.trigger ?? {}
  expect(reason).toBe('uncaught error: Error: no way to postgres://app:[redacted]@db/shop')
  expect(JSON.stringify(recorder.currentIncident?.trigger)).not.toContain('hush')
})

test('the activity in which an error was thrown is known', () => {
  const recorder = rig.recorder()
  const traceId = '0123456789abcdef0123456789abcdef'
  recorder.run({ traceId, fields: { order: 7 } }, () => {
    emit('uncaughtExceptionMonitor', new Error('broken'), 'uncaughtException')
  })
  expect(recorder.currentIncident?.trigger.event).toMatchObject({ traceId, fields: { order: 7 } })
})

test('a crash right after an incident is not held back; one that the program outlives is', () => {
  const limits = { coolDownMs: 60_000, perHour: 60, perFingerprintPerHour: 5 }
  const reporter = { postTrigger: { events: 0 } }
  const recorder = rig.recorder({ limits, reporter })
  const fail = (): boolean => emit('uncaughtExceptionMonitor', new Error('broken'), 'uncaughtException')
  recorder.error('first')
  const outlived = (): void => {}
  process.on('uncaughtException', outlived)
  fail()
  process.off('uncaughtException', outlived)
  expect(recorder.stats().incidents).toMatchObject({ recorded: 1, suppressed: { coolDown: 1 } })
  fail()
  expect(recorder.stats().incidents.recorded).toBe(2)
})

/** The types know this event of those that are listened to only. */
function emit(...event: readonly [name: string, error: Error, origin: string]): boolean {
  return (process as EventEmitter).emit(...event)
}
