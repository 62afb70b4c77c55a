import fc from 'fast-check'
import { Watchdog } from '../../src/sidecar/watchdog'
import { FakeClock } from '../remote/support/fake-clock'
import { type Note, notesOf, StuckPrograms } from './stuck'

const STALL_MS = 1000
const TICK_MS = 25

type Told =
  | { readonly what: 'stall'; readonly ms: number }
  | { readonly what: 'end'; readonly ms: number; readonly pausedMs: number }

/** A watchdog, and a thread whose beats are given by hand. */
class Watched {
  readonly clock = new FakeClock()
  readonly told: (Told & { readonly at: number })[] = []
  beats: number
  debugged = false
  readonly watchdog: Watchdog

  constructor(beats = 0, beatsBefore?: number) {
    this.beats = beats
    this.watchdog = new Watchdog({
      clock: this.clock,
      beats: () => this.beats,
      ...(beatsBefore === undefined ? {} : { beatsBefore }),
      debugged: () => this.debugged,
      stallMs: STALL_MS,
      tickMs: TICK_MS,
      onStall: (ms) => this.told.push({ what: 'stall', ms, at: this.clock.monotonic() }),
      onEnd: (ms, pausedMs) => this.told.push({ what: 'end', ms, pausedMs, at: this.clock.monotonic() }),
    })
    this.watchdog.start()
  }

  /** The thread turns its loop, and the watchdog sees it. */
  beat(): void {
    this.beats++
    this.watchdog.tick()
  }

  get names(): string[] {
    return this.told.map(({ what }) => what)
  }
}

describe('a watchdog', () => {
  test('tells of a stall once, and how long it was when it ends', () => {
    const watched = new Watched()
    watched.beat()
    watched.clock.advance(STALL_MS - TICK_MS)
    expect(watched.told).toEqual([])
    watched.clock.advance(2000)
    expect(watched.told).toMatchObject([{ what: 'stall', ms: STALL_MS }])
    expect(watched.watchdog.stalled).toBe(true)
    watched.beat()
    expect(watched.told.slice(1)).toMatchObject([{ what: 'end', ms: 2975, pausedMs: 0 }])
    expect(watched.watchdog.stalled).toBe(false)
    watched.clock.advance(STALL_MS)
    expect(watched.names).toEqual(['stall', 'end', 'stall'])
  })

  test('waits for the first beat, however long a program takes to start', () => {
    const watched = new Watched()
    watched.clock.advance(60_000)
    expect(watched.told).toEqual([])
    watched.beat()
    watched.clock.advance(STALL_MS)
    expect(watched.names).toEqual(['stall'])
  })

  test('that starts after the thread got stuck knows of its first beats where it is told the count before', () => {
    const late = new Watched(7, 3)
    const unaware = new Watched(7)
    late.clock.advance(STALL_MS + TICK_MS)
    unaware.clock.advance(STALL_MS + TICK_MS)
    expect([late.names, unaware.names]).toEqual([['stall'], []])
  })

  test('counts a pause that it shared as two ticks, and tells it apart', () => {
    const watched = new Watched()
    watched.beat()
    watched.clock.pass(10_000)
    watched.clock.advance(0)
    watched.clock.advance(STALL_MS - 3 * TICK_MS)
    expect(watched.told).toEqual([])
    watched.clock.advance(TICK_MS)
    expect(watched.names).toEqual(['stall'])
    watched.clock.pass(5000)
    watched.beat()
    expect(watched.told.at(-1)).toMatchObject({ what: 'end', ms: STALL_MS + 50, pausedMs: 9950 + 4950 })
  })

  test('counts nothing while a debugger may hold the thread', () => {
    const watched = new Watched()
    watched.beat()
    watched.clock.advance(900)
    watched.debugged = true
    watched.clock.advance(60_000)
    watched.debugged = false
    watched.clock.advance(STALL_MS - TICK_MS)
    expect(watched.told).toEqual([])
    watched.clock.advance(TICK_MS)
    expect(watched.names).toEqual(['stall'])
  })

  test('says nothing once it is stopped, and leaves no timer', () => {
    const watched = new Watched()
    watched.beat()
    watched.clock.advance(STALL_MS)
    watched.watchdog.stop()
    watched.watchdog.stop()
    watched.beat()
    watched.clock.advance(10_000)
    expect(watched.names).toEqual(['stall'])
    expect(watched.clock.pending).toBe(0)
  })

  test('that is started again waits for a beat again', () => {
    const watched = new Watched()
    watched.beat()
    watched.clock.advance(STALL_MS)
    watched.watchdog.start()
    watched.clock.advance(10_000)
    expect(watched.names).toEqual(['stall'])
    watched.beat()
    watched.clock.advance(STALL_MS)
    expect(watched.names).toEqual(['stall', 'stall'])
    expect(watched.clock.pending).toBe(1)
  })
})

interface Step {
  readonly ms: number
  readonly act: 'look' | 'beat' | 'attach' | 'detach' | 'restart'
}

const anyMs = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 60 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 20_000 }) },
)
const anyAct = fc.oneof(
  { weight: 30, arbitrary: fc.constant<Step['act']>('look') },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Step['act']>('beat', 'beat', 'beat', 'attach', 'detach', 'restart'),
  },
)
const anySteps = fc.array(fc.record({ ms: anyMs, act: anyAct }), { maxLength: 400, size: 'max' })

describe('whatever the schedule', () => {
  test('a stall is told exactly when enough silence has been counted, once, and its end at most once', () => {
    let stalls = 0
    const property = fc.property(anySteps, (steps) => {
      const watched = new Watched()
      // What the watchdog ought to do, as plainly as it can be said
      let counted: number | undefined
      let lastBeat = 0
      const expected: object[] = []
      let open = false
      for (const { ms, act } of steps) {
        watched.clock.pass(ms)
        if (act === 'attach' || act === 'detach') watched.debugged = act === 'attach'
        if (act === 'restart') {
          watched.watchdog.start()
          counted = undefined
          open = false
          continue
        }
        if (act === 'beat') watched.beat()
        else watched.watchdog.tick()
        const at = watched.clock.monotonic()
        if (counted !== undefined) counted += Math.min(ms, 2 * TICK_MS)
        if (act === 'beat') {
          if (open) expected.push({ what: 'end', at, lastBeat })
          open = false
          counted = 0
          lastBeat = at
        } else if (!open && watched.debugged && counted !== undefined) {
          counted = 0
          lastBeat = at
        } else if (!open && counted !== undefined && counted >= STALL_MS) {
          expected.push({ what: 'stall', at, ms: counted })
          open = true
        }
      }
      stalls += watched.names.filter((name) => name === 'stall').length
      expect(
        watched.told.map((told) =>
          told.what === 'stall'
            ? told
            : { what: 'end', at: told.at, lastBeat: told.at - told.ms - told.pausedMs },
        ),
      ).toEqual(expected)
    })
    fc.assert(property, { numRuns: 300 })
    // The property would hold as well if nothing ever happened
    expect(stalls).toBeGreaterThan(20)
  })

  test('a thread that beats within the time is never stuck, however late either side is', () => {
    const anyGap = fc.array(fc.integer({ min: 1, max: 60_000 }), {
      minLength: 1,
      maxLength: STALL_MS / (2 * TICK_MS) - 1,
    })
    const property = fc.property(fc.array(anyGap, { maxLength: 50 }), (silences) => {
      const watched = new Watched()
      watched.beat()
      for (const looks of silences) {
        for (const ms of looks) {
          watched.clock.pass(ms)
          watched.watchdog.tick()
        }
        watched.beat()
      }
      expect(watched.told).toEqual([])
    })
    fc.assert(property)
  })

  test('a stall is told at most two ticks after its threshold where ticks are at most twice as long as they should be', () => {
    const anyTicks = fc.array(fc.integer({ min: 1, max: 2 * TICK_MS }), { minLength: 1, maxLength: 60 })
    const property = fc.property(anyTicks, (ticks) => {
      const watched = new Watched()
      watched.beat()
      const since = watched.clock.monotonic()
      for (let i = 0; watched.told.length === 0; i++) {
        watched.clock.pass(ticks[i % ticks.length] as number)
        watched.watchdog.tick()
      }
      const silence = (watched.told[0]?.at ?? 0) - since
      expect(silence).toBeGreaterThanOrEqual(STALL_MS)
      expect(silence).toBeLessThan(STALL_MS + 2 * TICK_MS)
    })
    fc.assert(property)
  })
})

describe('a real program', () => {
  let programs: StuckPrograms
  beforeAll(() => {
    programs = new StuckPrograms()
  })
  afterAll(() => programs.end())

  function one(notes: readonly Note[], what: Note['what']): Note {
    const [note, ...others] = notesOf(notes, what)
    if (note === undefined || others.length > 0) throw new Error(`${what}: ${JSON.stringify(notes)}`)
    return note
  }

  test('that is stuck is known of while it is, at most 300 ms after the threshold, with its stack', async () => {
    const { notes } = await programs.run('loop', 'watched', [1000, 1500])
    const [stuck, stall, stack, free, end] = (['stuck', 'stall', 'stack', 'free', 'end'] as const).map(
      (what) => one(notes, what),
    ) as [Note, Note, Note, Note, Note]
    expect(stack.at - stuck.at).toBeLessThan(1300)
    expect(stall.at).toBeLessThan(free.at)
    expect(stack.stack).toContain('    at loopForEver (')
    const told = (end.ms ?? 0) + (end.pausedMs ?? 0)
    expect(Math.abs(told - (free.at - stuck.at))).toBeLessThan(300)
  })

  test('that was stopped for three seconds was not stuck', async () => {
    const { notes, outcome } = await programs.run('stopped', 'watched', [1000, 0], async (child) => {
      child.kill('SIGSTOP')
      await new Promise((resolve) => setTimeout(resolve, 3000))
      child.kill('SIGCONT')
      child.stdin?.write('go on\n')
    })
    expect(one(notes, 'free').at - one(notes, 'stuck').at).toBeGreaterThan(2900)
    expect(notesOf(notes, 'stall')).toEqual([])
    expect(outcome.code).toBe(0)
  })

  test('that takes long before its first turn of the loop was not stuck', async () => {
    const { notes, outcome } = await programs.run('at the start', 'watched', [300, 1000])
    expect(notesOf(notes, 'stall')).toEqual([])
    expect(outcome.code).toBe(0)
  })

  test('to which a debugger may have connected was not stuck', async () => {
    const { notes, outcome } = await programs.run('debugged', 'watched', [300, 1000])
    expect(notesOf(notes, 'stall')).toEqual([])
    expect(outcome).toMatchObject({ code: 0, talk: expect.stringContaining('Debugger listening') })
  })
})
