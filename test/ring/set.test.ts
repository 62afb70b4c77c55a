import { RING_BYTES } from '../../src/base/limits'
import { RingSet } from '../../src/ring/set'
import { stateOfRing } from '../../src/ring/state'
import { fakeEvent } from './frames'

describe('a set of rings', () => {
  test('has one for each band of severities, of the default sizes', () => {
    const set = new RingSet()
    expect(set.handles.map((ring) => ring.severity)).toEqual([
      'trace',
      'debug',
      'info',
      'warn',
      'error',
      'fatal',
    ])
    expect(set.rings.map((ring) => ring.capacityBytes)).toEqual(Object.values(RING_BYTES))
    expect(set.capacityBytes).toBe(8 * 1024 * 1024)
  })

  test('puts each severity into the ring of its band', () => {
    const set = new RingSet()
    const bands = Array.from({ length: 24 }, (_, i) => set.select(i + 1, '').handle.severity)
    expect(bands).toEqual(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal'].flatMap((band) => Array(4).fill(band)),
    )
  })

  test('keeps a chatty facility, and all below it, out of the others', () => {
    const set = new RingSet({
      facilities: { 'http.access': { info: '64KiB' }, http: { info: '128KiB' } },
      thread: 3,
    })
    const own = (severity: number, facility: string): string => set.select(severity, facility).handle.facility
    expect(own(9, 'http.access')).toBe('http.access')
    expect(own(9, 'http.access.slow')).toBe('http.access')
    expect(own(9, 'http.accessory')).toBe('http')
    expect(own(9, 'http')).toBe('http')
    expect(own(9, 'https')).toBe('')
    expect(own(9, '')).toBe('')
    expect(own(17, 'http.access')).toBe('')
    expect(set.handles).toHaveLength(8)
    expect(set.handles.every((ring) => ring.thread === 3)).toBe(true)
  })

  test('refuses what it does not know, by name', () => {
    expect(() => new RingSet({ sizes: { debug: 'much' } })).toThrow('option rings.debug takes a size')
    expect(() => new RingSet({ sizes: { verbose: 1 } as never })).toThrow('option rings.verbose takes')
    expect(() => new RingSet({ facilities: { a: { info: -1 } } })).toThrow('option facilities.a.info takes')
    expect(() => new RingSet({ sizes: 7 as never })).toThrow('option rings takes')
  })

  test('tells what a ring holds and what it let go', () => {
    const set = new RingSet({ sizes: { info: '64KiB' }, thread: 2 })
    const ring = set.select(9, '')
    for (let seq = 0; seq < 100; seq++) ring.append(fakeEvent(seq, 2000), 2000)
    const state = stateOfRing(ring.handle)
    expect(state).toMatchObject({ severity: 'info', facility: '', thread: 2, capacityBytes: 65_536 })
    expect(state.events + state.evicted).toBe(100)
    expect(state.usedBytes).toBe(state.events * 2016)
  })
})
