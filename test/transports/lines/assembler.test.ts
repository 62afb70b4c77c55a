import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import type { Clock, Timer } from '../../../src/base/clock'
import { LineAssembler } from '../../../src/transports/lines/assembler'
import type { LineEvent } from '../../../src/transports/lines/event'

const FIXTURES = join(__dirname, '../../../fixtures/lines')
const ARRIVAL = 1_795_293_060_000_000

/** A clock that stands still; timers fire when told to. */
class StillClock implements Clock {
  readonly #waiting = new Set<() => void>()
  now = () => ARRIVAL
  monotonic = () => 0
  after(_ms: number, action: () => void): Timer {
    this.#waiting.add(action)
    return { cancel: () => void this.#waiting.delete(action) }
  }
  every(): Timer {
    throw new Error('not used')
  }
  fire(): void {
    for (const action of [...this.#waiting]) action()
    this.#waiting.clear()
  }
  get waiting(): number {
    return this.#waiting.size
  }
}

function assemble(options: { lineBytes?: number } = {}) {
  const events: LineEvent[] = []
  const clock = new StillClock()
  const assembler = new LineAssembler({
    stream: 'stdout',
    clock,
    emit: (event) => events.push(event),
    ...options,
  })
  return { events, clock, assembler }
}

function eventsOf(...chunks: (string | Uint8Array)[]): LineEvent[] {
  const { events, assembler } = assemble()
  for (const chunk of chunks) assembler.push(Buffer.from(chunk as string))
  assembler.end()
  return events
}

describe('real logs', () => {
  const names = readdirSync(FIXTURES).filter((name) => name.endsWith('.log'))

  test.each(names)('%s gives the events of its twin', (name) => {
    const twin = join(FIXTURES, name.replace('.log', '.events.jsonl'))
    const events = eventsOf(readFileSync(join(FIXTURES, name)))
    const text = `${events.map((event) => JSON.stringify(event)).join('\n')}\n`
    if (process.env['FLOG_UPDATE_FIXTURES'] === '1') writeFileSync(twin, text)
    expect(text).toBe(readFileSync(twin, 'utf8'))
  })

  test.each(names)('%s gives the same events however it is cut into chunks', (name) => {
    const bytes = readFileSync(join(FIXTURES, name))
    const whole = eventsOf(bytes)
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 8 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), bytes.length]
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end))
        expect(eventsOf(...chunks)).toEqual(whole)
      }),
      { numRuns: 30 },
    )
  })
})

describe('lines', () => {
  test('a last line without an end is an event', () => {
    expect(eventsOf('a\nb').map((event) => event.message)).toEqual(['a', 'b'])
  })

  test('CR LF ends a line as LF does, and empty lines are no events', () => {
    expect(eventsOf('a\r\n\r\n\nb\r\n').map((event) => event.message)).toEqual(['a', 'b'])
  })

  test('bytes that are no UTF-8 are replaced, the rest of the line is kept', () => {
    expect(eventsOf(Buffer.from([0x61, 0xff, 0x62, 0x0a]))[0]?.message).toBe('a\ufffdb')
  })

  test('a character that two chunks share is whole', () => {
    const bytes = Buffer.from('größe\n')
    expect(eventsOf(bytes.subarray(0, 3), bytes.subarray(3))[0]?.message).toBe('größe')
  })

  test('a line over the limit keeps its beginning and counts the rest, at a whole character', () => {
    const { events, assembler } = assemble({ lineBytes: 5 })
    assembler.push(Buffer.from('abcdö and more\nnext\n'))
    assembler.end()
    expect(events.map(({ message, cut }) => [message, cut])).toEqual([
      ['abcd', 11],
      ['next', 0],
    ])
  })

  test('a line without an end holds no more than the limit in memory', () => {
    const { events, assembler } = assemble({ lineBytes: 1000 })
    const chunk = Buffer.alloc(64 * 1024, 'x')
    for (let i = 0; i < 100; i++) assembler.push(chunk)
    assembler.end()
    expect(events).toHaveLength(1)
    expect(events[0]?.message).toHaveLength(1000)
    expect(events[0]?.cut).toBe(100 * chunk.length - 1000)
  })

  test('a line that names no time has the time at which it arrived, one that names no level has none', () => {
    expect(eventsOf('hello\n')[0]).toMatchObject({ time: ARRIVAL, stream: 'stdout' })
    expect(eventsOf('hello\n')[0]).not.toHaveProperty('severity')
  })

  test('anything at all gives events and no errors', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }), (chunks) => {
        for (const event of eventsOf(...chunks)) expect(typeof event.message).toBe('string')
      }),
    )
    fc.assert(
      fc.property(fc.json(), fc.constantFrom('level', 'msg', 'err', 'stack', 'time', 'name'), (json, key) => {
        eventsOf(`{"level":"info","msg":"m","${key}":${json}}\n`)
      }),
    )
  })
})

describe('traces', () => {
  test('a line waits for its trace only as long as the timer, then is an event', () => {
    const { events, clock, assembler } = assemble()
    assembler.push(Buffer.from('Error: boom\n'))
    expect(events).toHaveLength(0)
    clock.fire()
    expect(events.map((event) => event.message)).toEqual(['boom'])
    expect(clock.waiting).toBe(0)
  })

  test('a JSON line does not wait', () => {
    const { events, clock, assembler } = assemble()
    assembler.push(Buffer.from('{"level":"info","message":"m"}\n'))
    expect(events).toHaveLength(1)
    expect(clock.waiting).toBe(0)
  })

  test('a very long trace is bounded, and counted', () => {
    const frames = Array.from({ length: 10_000 }, (_, i) => `    at f${i} (/x.js:${i}:1)`)
    const [event, next] = eventsOf(['RangeError: too deep', ...frames, 'next'].join('\n'))
    expect(event?.error?.stack?.split('\n').at(-1)).toBe('… 9800 more lines')
    expect(event?.error?.stack?.length).toBeLessThan(70_000)
    expect(event?.cut).toBeGreaterThan(100_000)
    expect(next?.message).toBe('next')
  })

  test('lines made to keep a pattern busy are taken quickly', () => {
    const long = 200_000
    const began = process.cpuUsage()
    for (const head of ['panic: x', 'Error: x\n    at f', 'Traceback (most recent call last):', 'ERROR x']) {
      for (const part of ['(', ' ', 'a.', 'a', 'at ', '[', '\t'])
        eventsOf(`${head}\n${part.repeat(long / part.length)}\n`)
    }
    expect(process.cpuUsage(began).user).toBeLessThan(5_000_000)
  })

  test('an unindented line that merely mentions an error is an event of its own', () => {
    expect(eventsOf('doing things\nSomeError\nmore\n').map((event) => event.message)).toEqual([
      'doing things',
      'SomeError',
      'more',
    ])
  })

  test('a traceback does not swallow a harmless line before it', () => {
    const [first, second] = eventsOf(
      'starting\nTraceback (most recent call last):\n  File "a", line 1\nValueError: x\n',
    )
    expect(first?.message).toBe('starting')
    expect(second).toMatchObject({
      severity: 17,
      message: 'ValueError: x',
      error: { name: 'ValueError', message: 'x' },
    })
  })
})
