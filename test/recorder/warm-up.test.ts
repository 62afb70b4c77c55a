import { type Clock, SystemClock, type Timer } from '../../src/base/clock'
import { WarmUp } from '../../src/recorder/warm-up'

/** Keeps what is to be done later, until it is told to do it. */
class HeldClock extends SystemClock implements Clock {
  readonly held: (() => void)[] = []

  override after(_ms: number, action: () => void): Timer {
    this.held.push(action)
    return {
      cancel: () => {
        const at = this.held.indexOf(action)
        if (at >= 0) this.held.splice(at, 1)
      },
    }
  }

  turn(): void {
    this.held.shift()?.()
  }
}

test('warming up goes on in turns of its own, ends when stopped, and is done once a process', () => {
  const clock = new HeldClock()
  const warming = new WarmUp(clock)
  for (let i = 0; i < 5; i++) {
    expect(clock.held).toHaveLength(1)
    clock.turn()
  }
  warming.stop()
  expect(clock.held).toHaveLength(0)
  new WarmUp(clock)
  expect(clock.held).toHaveLength(0)
})
