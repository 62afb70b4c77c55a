import fc from 'fast-check'
import type { Clock } from '../../src/base/clock'
import { IncidentLimits, type LimitOptions } from '../../src/incident/limits'

const SECOND = 1000
const HOUR = 3600 * SECOND

/** A clock that stands until it is told otherwise. */
class Standing implements Pick<Clock, 'monotonic'> {
  ms = 5_000_000

  monotonic(): number {
    return this.ms
  }
}

function limited(options: LimitOptions = {}) {
  const clock = new Standing()
  return { clock, limits: new IncidentLimits({ ...options, clock: clock as unknown as Clock }) }
}

const off = { perHour: Infinity, perFingerprintPerHour: Infinity, coolDownMs: 0 }

test('after an incident, none begins for a second', () => {
  const { clock, limits } = limited()
  expect(limits.admit('a')).toBe('admitted')
  expect(limits.admit('b')).toBe('coolDown')
  clock.ms += 999
  expect(limits.admit('b')).toBe('coolDown')
  clock.ms += 1
  expect(limits.admit('b')).toBe('admitted')
})

test('five incidents of one fingerprint in an hour, of others meanwhile', () => {
  const { clock, limits } = limited({ coolDownMs: 0 })
  for (let n = 0; n < 5; n++, clock.ms += SECOND) expect(limits.admit('a')).toBe('admitted')
  expect(limits.admit('a')).toBe('perFingerprint')
  expect(limits.admit('b')).toBe('admitted')
  clock.ms += HOUR - 6 * SECOND
  expect(limits.admit('a')).toBe('perFingerprint')
  clock.ms += SECOND
  expect(limits.admit('a')).toBe('admitted')
  expect(limits.admit('a')).toBe('perFingerprint')
})

test('sixty incidents in an hour', () => {
  const { clock, limits } = limited({ coolDownMs: 0 })
  for (let n = 0; n < 60; n++, clock.ms += SECOND) expect(limits.admit(`${n}`)).toBe('admitted')
  expect(limits.admit('x')).toBe('perHour')
  clock.ms += HOUR - 60 * SECOND
  expect(limits.admit('x')).toBe('admitted')
  expect(limits.admit('y')).toBe('perHour')
})

test('one that somebody asked for is held back by the hour only, and counts', () => {
  const { limits } = limited({ perHour: 4, perFingerprintPerHour: 1 })
  expect(limits.admit('a')).toBe('admitted')
  expect(limits.admit('a', { manual: true })).toBe('admitted')
  expect(limits.admit('b', { manual: true })).toBe('admitted')
  expect(limits.admit('b')).toBe('coolDown')
  expect(limits.admit('a', { manual: true })).toBe('admitted')
  expect(limits.admit('a', { manual: true })).toBe('perHour')
})

test('a manual one begins a cool-down and counts for its fingerprint', () => {
  const { clock, limits } = limited({ perFingerprintPerHour: 1 })
  limits.admit('a', { manual: true })
  expect(limits.admit('b')).toBe('coolDown')
  clock.ms += SECOND
  expect(limits.admit('a')).toBe('perFingerprint')
})

test('what was held back is counted until it is taken, and for ever in the statistics', () => {
  const { clock, limits } = limited({ perHour: 2, perFingerprintPerHour: 1 })
  limits.admit('a')
  limits.admit('a')
  clock.ms += SECOND
  limits.admit('a')
  limits.admit('b')
  clock.ms += SECOND
  limits.admit('c')
  limits.admit('c')
  const suppressed = { coolDown: 1, perFingerprint: 1, perHour: 2 }
  expect(limits.takeSuppressed()).toEqual(suppressed)
  expect(limits.takeSuppressed()).toEqual({ coolDown: 0, perFingerprint: 0, perHour: 0 })
  expect(limits.stats()).toEqual({ admitted: 2, suppressed })
})

test('each limit can be switched off', () => {
  const { limits } = limited(off)
  for (let n = 0; n < 10_000; n++) expect(limits.admit('a')).toBe('admitted')
})

test('of ever new fingerprints, the ones that were admitted longest ago are forgotten', () => {
  const { limits } = limited({ ...off, perFingerprintPerHour: 1 })
  for (let n = 0; n <= 10_000; n++) limits.admit(`${n}`)
  expect(limits.stats().admitted).toBe(10_001)
  expect(limits.admit('1')).toBe('perFingerprint')
  expect(limits.admit('10000')).toBe('perFingerprint')
  expect(limits.admit('0')).toBe('admitted')
  expect(limits.admit('1')).toBe('admitted')
})

test('agrees with a list of all incidents', () => {
  const steps = fc.array(
    fc.tuple(fc.integer({ min: 0, max: HOUR / 3 }), fc.constantFrom('a', 'b'), fc.boolean()),
    {
      maxLength: 60,
    },
  )
  fc.assert(
    fc.property(
      steps,
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 3 }),
      (list, perHour, perFingerprint) => {
        const { clock, limits } = limited({
          perHour,
          perFingerprintPerHour: perFingerprint,
          coolDownMs: HOUR / 30,
        })
        const admitted: { readonly at: number; readonly fingerprint: string }[] = []
        for (const [gap, fingerprint, manual] of list) {
          clock.ms += gap
          const recent = admitted.filter(({ at }) => clock.ms - at < HOUR)
          const coolDown = clock.ms - (admitted.at(-1)?.at ?? -Infinity) < HOUR / 30
          const ofFingerprint = recent.filter((incident) => incident.fingerprint === fingerprint).length
          const full = recent.length >= perHour ? 'perHour' : 'admitted'
          const expected = manual
            ? full
            : coolDown
              ? 'coolDown'
              : ofFingerprint >= perFingerprint
                ? 'perFingerprint'
                : full
          expect(limits.admit(fingerprint, { manual })).toBe(expected)
          if (expected === 'admitted') admitted.push({ at: clock.ms, fingerprint })
        }
      },
    ),
  )
})

test.each<[LimitOptions, string]>([
  [{ perHour: 0 }, 'option limits.perHour takes a whole number of at least 1, or Infinity, got 0'],
  [{ perHour: 1.5 }, 'limits.perHour'],
  [{ perFingerprintPerHour: -1 }, 'limits.perFingerprintPerHour'],
  [{ perFingerprintPerHour: '5' as unknown as number }, 'limits.perFingerprintPerHour'],
  [{ coolDownMs: -1 }, 'option limits.coolDownMs takes milliseconds from 0 to 86400000'],
  [{ coolDownMs: Infinity }, 'limits.coolDownMs'],
  [{ coolDownMs: Number.NaN }, 'limits.coolDownMs'],
])('refuses %j', (options, message) => {
  expect(() => limited(options)).toThrow(message)
})
