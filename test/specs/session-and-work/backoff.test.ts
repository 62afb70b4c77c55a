import {
  type Backoff,
  isDead,
  jittered,
  nextBackoff,
  parseBackoff,
} from '../../../src/collector/lease/backoff'
import { Processes } from '../../../src/collector/lease/processes'
import { parseRate, Rate } from '../../../src/collector/lease/rate-limit'
import { WorkState, workLost } from '../../../src/collector/lease/work-state'
import { FakeClock } from '../../remote/support/fake-clock'
import { EVEN } from './support'

const S = 1000
const INVALID = expect.objectContaining({ code: 'FLOG_OPTION_INVALID' })

function intervals(backoff: Backoff | undefined, count: number, previous?: number): readonly number[] {
  const all: number[] = []
  for (let last = previous; all.length < count; last = all.at(-1)) all.push(nextBackoff(backoff, last))
  return all
}

describe('12. the backoff table', () => {
  const minute = 60 * S
  // As upstream, but to the millisecond: there it is 60, 66, 73, 81, 90, 99, 109, 120 s, each rounded up to a second.
  const growing = [60_000, 66_000, 72_600, 79_860, 87_846, 96_631, 106_295, 116_925, 120_000, 120_000]
  test.each<[string, Backoff | undefined, number | undefined, readonly number[]]>([
    ['none', undefined, undefined, [S, S, S]],
    ['an empty one', {}, undefined, [S, S, S]],
    ['a minute', { initialMs: minute }, undefined, [minute, minute, minute]],
    ['a growing one', { initialMs: minute, exponent: 1.1, maximumMs: 120 * S }, undefined, growing],
    ['a minute, after 2 s', { initialMs: minute }, 2 * S, [minute, minute]],
    [
      'a doubling one, after 2 s',
      { initialMs: minute, exponent: 2, maximumMs: 120 * S },
      2 * S,
      [4, 8, 16, 32, 64, 120, 120].map((s) => s * S),
    ],
    ['none, after a minute', undefined, minute, [minute, minute]],
    ['none, after nothing', undefined, 0, [S]],
    ['none, after a millisecond', undefined, 1, [S]],
    ['one that would shrink', { exponent: 0.2 }, undefined, [S, S, S]],
    ['one that is shorter than a second', { initialMs: 1, maximumMs: 1 }, undefined, [S, S, S]],
    ['one and a half seconds', { initialMs: 1500 }, undefined, [1500, 1500]],
    ['one whose fraction is rounded up', { initialMs: 1000.2, exponent: 1 }, undefined, [1001]],
    [
      'one that would go beyond its maximum',
      { initialMs: 1500, exponent: 2, maximumMs: 2000 },
      undefined,
      [1500, 2000],
    ],
    [
      'one without a maximum',
      { initialMs: 3_000_000, exponent: 2 },
      undefined,
      [3_000_000, 3_600_000, 3_600_000],
    ],
    ['one that hardly grows', { exponent: 1 + 1e-9 }, undefined, [1000, 1001, 1002]],
    ['one that overflows', { exponent: 1000 }, Number.MAX_VALUE, [3_600_000]],
  ])('%s', (_, backoff, previous, expected) => {
    expect(intervals(backoff, expected.length, previous)).toEqual(expected)
  })
})

test('15. jitter moves the attempt within its bounds, and never the interval that the next one grows from', () => {
  const at = (fraction: number, backoff: Backoff) =>
    jittered(backoff, 10_000, { ...EVEN, fraction: () => fraction })
  expect([0, 0.5, 1].map((fraction) => at(fraction, {}))).toEqual([9000, 10_000, 11_000])
  expect([0, 0.5, 1].map((fraction) => at(fraction, { jitter: 1 }))).toEqual([0, 10_000, 20_000])
  expect([0, 1].map((fraction) => at(fraction, { jitter: 0 }))).toEqual([10_000, 10_000])
})

test('attempts are counted against what is allowed', () => {
  expect([1, 2, 3].map((attempts) => isDead({ maxAttempts: 2 }, attempts))).toEqual([false, true, true])
  expect(isDead({}, 1_000_000)).toBe(false)
})

test.each<[string, Backoff]>([
  ['a negative time', { initialMs: -1 }],
  ['too much jitter', { jitter: 1.1 }],
  ['no attempt at all', { maxAttempts: 0 }],
  ['a misspelt name', { maximum: 5 } as Backoff],
])('a backoff with %s is refused', (_, backoff) => {
  expect(() => parseBackoff('backoff', backoff)).toThrow(INVALID)
})

describe('the state of work', () => {
  const ok = async () => 'ok'

  test('22. what is settled is settled once', async () => {
    const state = new WorkState()
    expect(await state.settle('finish', ok)).toBe('ok')
    expect(state.phase).toBe('done')
    await expect(state.settle('finish', ok)).rejects.toMatchObject({ code: 'FLOG_WORK_FINISHED' })
  })

  test('a failure leaves it held, a loss does not', async () => {
    const state = new WorkState()
    await expect(state.settle('finish', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(state.phase).toBe('held')
    const gone = () =>
      state.settle(
        'finish',
        () => Promise.reject(workLost('gone')),
        () => 'lost',
      )
    await expect(gone()).rejects.toThrow('gone')
    expect(state.phase).toBe('lost')
    await expect(state.settle('fail', ok)).rejects.toMatchObject({ code: 'FLOG_WORK_LOST' })
  })

  test('what is being settled finds out for itself that it was lost', async () => {
    const state = new WorkState()
    const settling = state.settle('finish', ok)
    expect(state.lose()).toBe(false)
    await settling
    expect(state.lose()).toBe(false)
    expect(new WorkState().lose()).toBe(true)
  })
})

describe('the processes that there are', () => {
  test('exclusion counts both ways', () => {
    const processes = new Processes([
      { name: 'poll', excludes: ['erase'] },
      { name: 'erase' },
      { name: 'own' },
    ])
    expect(['poll', 'erase', 'own'].map((name) => processes.excludedBy(name))).toEqual([
      ['erase'],
      ['poll'],
      [],
    ])
    expect(processes.names).toEqual(['erase', 'own', 'poll'])
    expect(() => processes.get('sing')).toThrow(INVALID)
    expect(processes.backoffOf('of a newer version')).toEqual({ initialMs: 1000, exponent: 2 })
  })

  test.each([
    ['a bad name', [{ name: 'Poll' }]],
    ['a name that is there twice', [{ name: 'poll' }, { name: 'poll' }]],
    ['an unknown name to exclude', [{ name: 'poll', excludes: ['sing'] }]],
    ['itself to exclude', [{ name: 'poll', excludes: ['poll'] }]],
    ['a bad backoff', [{ name: 'poll', backoff: { exponent: -1 } }]],
  ])('%s is refused', (_, definitions) => {
    expect(() => new Processes(definitions)).toThrow(INVALID)
  })
})

describe('the rate of a control loop', () => {
  test('so many at once, then one each so often', () => {
    const clock = new FakeClock()
    const rate = new Rate(parseRate('rate', '250 ms, burst 3'), clock)
    expect(Array.from({ length: 5 }, () => rate.take())).toEqual([0, 0, 0, 250, 500])
    clock.pass(10_000)
    expect(Array.from({ length: 4 }, () => rate.take())).toEqual([0, 0, 0, 250])
  })

  test.each([
    ['250 ms, burst 8', { everyMs: 250, burst: 8 }],
    ['0.5s,2', { everyMs: 500, burst: 2 }],
    ['1 s', { everyMs: 1000, burst: 1 }],
  ])('`%s` is read', (text, expected) => {
    expect(parseRate('rate', text)).toEqual(expected)
  })

  test.each(['fast', '250', '250 ms, burst 0', '-1 ms'])('`%s` is refused', (text) => {
    expect(() => parseRate('rate', text)).toThrow(INVALID)
  })
})
