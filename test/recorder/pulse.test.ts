import { Pulse } from '../../src/recorder/pulse'
import { FakeClock } from '../remote/support/fake-clock'

const pulses: Pulse[] = []
afterEach(() => {
  for (const pulse of pulses.splice(0)) pulse.close()
})

function pulseOf(Class = Pulse): { clock: FakeClock; pulse: Pulse; told: (string | boolean)[] } {
  const clock = new FakeClock()
  const told: (string | boolean)[] = []
  const setDebugged = (debugged: boolean): unknown => told.push(debugged)
  const pulse = new Class({ clock, beat: () => told.push('beat'), setDebugged })
  pulses.push(pulse)
  return { clock, pulse, told }
}

test('beats every 50 ms until it is closed', () => {
  const { clock, pulse, told } = pulseOf()
  clock.advance(49)
  expect(told).toEqual([])
  clock.advance(101)
  expect(told).toEqual([false, 'beat', 'beat', 'beat'])
  pulse.close()
  pulse.close()
  clock.advance(1000)
  expect(told).toHaveLength(4)
  expect(clock.pending).toBe(0)
})

test('tells how late the loop was, at most and on average, since it was last asked', () => {
  const { clock, pulse } = pulseOf()
  expect(pulse.takeDelay()).toEqual({ maxMs: 0, meanMs: 0 })
  clock.advance(100)
  clock.pass(80)
  clock.advance(0)
  expect(pulse.takeDelay()).toEqual({ maxMs: 30, meanMs: 10 })
  expect(pulse.takeDelay()).toEqual({ maxMs: 0, meanMs: 0 })
})

test('a beat that is overdue counts already', () => {
  const { clock, pulse } = pulseOf()
  clock.pass(250)
  expect(pulse.takeDelay()).toEqual({ maxMs: 200, meanMs: 200 })
})

test('tells, before the beat, when a debugger may connect, and when none may any more', () => {
  const inspector = require('node:inspector') as typeof import('node:inspector')
  const url = jest.spyOn(inspector, 'url').mockReturnValue(undefined)
  const { clock, told } = pulseOf()
  clock.advance(50)
  url.mockReturnValue('ws://127.0.0.1/x')
  clock.advance(100)
  url.mockReturnValue(undefined)
  clock.advance(50)
  expect(told).toEqual([false, 'beat', true, 'beat', 'beat', false, 'beat'])
  url.mockRestore()
})

test('beats without inspector too', () => {
  jest.isolateModules(() => {
    jest.doMock('node:inspector', () => {
      throw new Error('built without it')
    })
    const { Pulse: Isolated } =
      require('../../src/recorder/pulse') as typeof import('../../src/recorder/pulse')
    const { clock, told } = pulseOf(Isolated)
    clock.advance(100)
    expect(told).toEqual([false, 'beat', 'beat'])
  })
  jest.dontMock('node:inspector')
})
