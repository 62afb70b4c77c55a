import fc from 'fast-check'
import { failuresAfter, restartDelay } from '../../../src/collector/engine/backoff'
import { createEngine } from '../../../src/collector/engine/engine'
import { BounceError } from '../../../src/collector/engine/errors'
import { BOUNCE_MS, ERROR_MS, error, Rig } from './rig'

const growing = { errorDelayMs: 1000, backoffFactor: 2, maxDelayMs: 3000, jitter: 0.1 }
const bytes = (length: number) => new Uint8Array(length)

test('25. each option of the configuration says what it takes', () => {
  const functions = { isFatal: () => false, worstError: (given: unknown) => given }
  const refusal = (config: object) => {
    try {
      createEngine({ ...functions, ...config })
      return undefined
    } catch (thrown) {
      return (thrown as Error).message
    }
  }
  const positive = (name: string) => `option ${name} takes milliseconds, which must be > 0, got`
  expect(refusal({ isFatal: undefined })).toBe('option isFatal takes a function, got undefined')
  expect(refusal({ worstError: 1 })).toBe('option worstError takes a function, got 1')
  expect(refusal({ filter: 'x' })).toBe('option filter takes a function, got "x"')
  expect(refusal({ onError: 'x' })).toBe('option onError takes a function, got "x"')
  for (const name of ['errorDelayMs', 'bounceDelayMs', 'maxDelayMs', 'backoffResetMs']) {
    expect(refusal({ [name]: 0 })).toBe(`${positive(name)} 0`)
    expect(refusal({ [name]: Number.NaN })).toBe(`${positive(name)} NaN`)
    expect(refusal({ [name]: 2 ** 31 })).toBe(`${positive(name)} 2147483648`)
  }
  for (const name of ['startTimeoutMs', 'stopTimeoutMs', 'decisionTimeoutMs']) {
    expect(refusal({ [name]: -1 })).toBe(`${positive(name)} -1`)
    expect(refusal({ [name]: Number.POSITIVE_INFINITY })).toBeUndefined()
  }
  expect(refusal({ backoffFactor: 0.9 })).toBe(
    'option backoffFactor takes a number, which must be >= 1, got 0.9',
  )
  expect(refusal({ jitter: 1.1 })).toBe('option jitter takes a share from 0 to 1, got 1.1')
  const less = 'option maxDelayMs takes milliseconds, which must be >= errorDelayMs (5000), got 4000'
  expect(refusal({ errorDelayMs: 5000, maxDelayMs: 4000 })).toBe(less)
  const rig = new Rig()
  const start = () => ({ kill: () => {}, wait: async () => {} })
  expect(() => rig.engine.install({ name: 'a' }, { start, stopTimeoutMs: 0 })).toThrow(
    'option a.stopTimeoutMs takes',
  )
  expect(() => rig.engine.install({ name: '' }, { start })).toThrow('option name takes the name of a part')
  for (const inputs of [7, ['store'], [{}], [null]]) {
    const install = () => rig.engine.install({ name: 'a' }, { start, inputs: inputs as never })
    expect(install).toThrow('option a.inputs takes a list of references to parts')
  }
  expect(() => rig.engine.install({ name: 'a' }, {} as never)).toThrow('option a.start takes a function')
})

test('27. delays grow to their longest, a tenth more or less at random', async () => {
  const rig = new Rig({ ...growing, jitter: 0, backoffFactor: 2 })
  const probe = await rig.part('a')
  for (const delay of [1000, 2000, 3000, 3000]) {
    await probe.fail(error())
    expect(rig.of('a')['delay-ms']).toBe(delay)
    await rig.pass(delay - 1)
    expect(rig.of('a').state).toBe('waiting')
    await rig.pass(1)
    expect(rig.of('a').state).toBe('started')
  }
  const at = (failures: number, fraction: number) =>
    restartDelay(growing, failures, { bytes, fraction: () => fraction })
  expect([at(1, 0), at(1, 0.5), at(1, 0.999_999)]).toEqual([900, 1000, 1100])
  expect([at(2, 0), at(3, 0), at(3, 0.999_999)]).toEqual([1800, 2700, 3000])
})

test('28. a part that ran for long counts as well again', async () => {
  const rig = new Rig({ ...growing, jitter: 0, backoffResetMs: 60_000 })
  const probe = await rig.part('a')
  await probe.fail(error())
  await rig.pass(1000)
  await rig.pass(59_000)
  await probe.fail(error())
  expect(rig.of('a')).toMatchObject({ failures: 2, 'delay-ms': 2000 })
  await rig.pass(2000)
  await rig.pass(60_000)
  await probe.fail(error())
  expect(rig.of('a')).toMatchObject({ failures: 1, 'delay-ms': 1000 })
})

test('28. that it ran for long is not forgotten because it ended in order then', async () => {
  const rig = new Rig({ ...growing, jitter: 0, backoffResetMs: 60_000 })
  const probe = await rig.part('a')
  for (let i = 0; i < 2; i++) {
    await probe.fail(error())
    await rig.pass(2000)
  }
  await rig.pass(60_000)
  await probe.fail(new BounceError())
  expect(rig.of('a').failures).toBe(0)
  await rig.pass(BOUNCE_MS)
  await probe.fail(error())
  expect(rig.of('a')).toMatchObject({ failures: 1, 'delay-ms': 1000 })
})

test('29. two hundred failures with factor 100 give a delay like any other', () => {
  let failures = 0
  for (let i = 0; i < 200; i++) {
    failures = failuresAfter(failures, undefined, 60_000) + 1
    const delay = restartDelay({ ...growing, backoffFactor: 100 }, failures, { bytes, fraction: () => 0.5 })
    expect(delay).toBe(failures === 1 ? 1000 : 3000)
  }
  fc.assert(
    fc.property(
      fc.nat(),
      fc.double({ min: 1, max: 1e300, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (count, backoffFactor, fraction) => {
        const delay = restartDelay({ ...growing, backoffFactor }, count, { bytes, fraction: () => fraction })
        expect(Number.isInteger(delay) && delay >= 900 && delay <= 3000).toBe(true)
      },
    ),
  )
})

test('41. the delay of a bounce does not grow with failures', async () => {
  const rig = new Rig({ ...growing, jitter: 0.5, maxDelayMs: 100_000 })
  const input = await rig.part('a')
  const probe = await rig.part('b', ['a'])
  for (let i = 0; i < 4; i++) {
    await probe.fail(error())
    await rig.pass(rig.of('b')['delay-ms'] ?? 0)
  }
  expect(rig.of('b').failures).toBe(4)
  await probe.fail(new BounceError())
  expect(rig.of('b')).toMatchObject({ failures: 4, 'delay-ms': BOUNCE_MS })
  await rig.pass(BOUNCE_MS)
  await input.fail(new BounceError())
  await rig.pass(BOUNCE_MS)
  expect(rig.of('b')['delay-ms']).toBe(BOUNCE_MS)
})

test('restarts of the last minute are counted', async () => {
  const rig = new Rig()
  const probe = await rig.part('a')
  for (let i = 0; i < 3; i++) {
    await probe.fail(error())
    await rig.pass(ERROR_MS)
  }
  expect(rig.of('a').restarts).toBe(3)
  await rig.pass(60_000)
  expect(rig.of('a').restarts).toBe(0)
})
