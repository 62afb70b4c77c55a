import { EventEmitter, once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { type StackOptions, stackOfMainThread } from '../../src/sidecar/stack'
import { FakeClock } from '../remote/support/fake-clock'
import { type Note, notesOf, StuckPrograms } from './stuck'

let programs: StuckPrograms
beforeAll(() => {
  programs = new StuckPrograms()
})
afterAll(() => programs.end())

const runs = new Map<string, ReturnType<StuckPrograms['run']>>()

/** Each way once: what a run shows is looked at from several sides. */
function watchedRun(way: string): ReturnType<StuckPrograms['run']> {
  const run = runs.get(way) ?? programs.run(way, 'watched')
  runs.set(way, run)
  return run
}

/** Nobody looks how long one is stuck whom nobody watches. */
const BRIEFLY = [300, 50] as const

/** Innermost first, without what the engine may be found in: the clock that a loop looks at. */
function functionsOf(note: Note | undefined): (string | undefined)[] {
  const names = (note?.stack ?? '').split('\n').map((line) => /^ {4}at (.*) \(/.exec(line)?.[1])
  return names.slice(names.findIndex((name) => name?.endsWith('ForEver')))
}

describe('the stack of a main thread that is stuck', () => {
  test.each([
    ['loop', ['loopForEver', 'loop']],
    ['async function', ['loopForEver', 'asyncLoop']],
    ['method', ['loopForEver', 'countForEver', 'method']],
    ['regular expression', ['matchForEver', 'regular expression']],
    ['wait', ['waitForEver', 'wait']],
    ['exit while stuck', ['loopForEver', 'exit while stuck']],
  ])('names the functions, innermost first: %s', async (way, names) => {
    const { notes } = await watchedRun(way)
    const stacks = notesOf(notes, 'stack')
    expect(stacks).toHaveLength(1)
    expect(functionsOf(stacks[0]).slice(0, names.length)).toEqual(names)
  })

  test('tells the place in the file as an error would', async () => {
    const { notes } = await watchedRun('loop')
    const stack = notesOf(notes, 'stack')[0]?.stack ?? ''
    const [, path, line, column] = /^ {4}at loop \((.*):(\d+):(\d+)\)$/m.exec(stack) ?? []
    expect(path).toBe(programs.program)
    const source = readFileSync(programs.program, 'utf8').split('\n')[Number(line) - 1] ?? ''
    expect(source.slice(Number(column) - 1)).toMatch(/^loopForEver\(/)
  })

  test('has fifty frames at most, and says how many more there are', async () => {
    const { notes } = await watchedRun('recursion')
    const lines = notesOf(notes, 'stack')[0]?.stack?.split('\n') ?? []
    expect(lines).toHaveLength(51)
    expect(lines[49]).toMatch(/^ {4}at recurse \(/)
    expect(Number(/^ {4}… (\d+) more$/.exec(lines[50] ?? '')?.[1])).toBeGreaterThan(30)
  })

  test('is told of each stall anew', async () => {
    const { notes } = await watchedRun('stuck three times')
    const functions = notesOf(notes, 'stack').map((stack) => functionsOf(stack)[1])
    expect(functions).toEqual(['firstRound', 'secondRound', 'thirdRound'])
  })

  test('is none in a native call, and within the time that was given', async () => {
    const { notes } = await watchedRun('native call')
    const [stall] = notesOf(notes, 'stall')
    const [stack] = notesOf(notes, 'stack')
    const [free] = notesOf(notes, 'free')
    expect(stack).toBeDefined()
    expect(stack?.stack).toBeUndefined()
    expect((stack?.at ?? 0) - (stall?.at ?? 0)).toBeLessThan(free!.at - stall!.at)
  })
})

describe('a program whose stack is asked for', () => {
  test.each([
    'loop',
    'regular expression',
    'wait',
    'native call',
    'native calls in a row',
    'debugger statement',
    'exit while stuck',
    'throw while stuck',
    'exit from a native call',
  ])('goes on and ends as one that nobody watches: %s', async (way) => {
    const [bare, watched] = await Promise.all([programs.run(way, 'bare', BRIEFLY), watchedRun(way)])
    expect(notesOf(watched.notes, 'stall')).toHaveLength(1)
    expect(watched.outcome).toEqual(bare.outcome)
  })

  test('goes on when the thread that asked ends while it stands still', async () => {
    const stoodStill = new Int32Array(new SharedArrayBuffer(4))
    const asking = new Worker(
      `const { Session } = require('node:inspector')
      const session = new Session()
      session.connectToMainThread()
      session.once('Debugger.paused', () => {
        require('node:worker_threads').workerData[0] = 1
        process.exit()
      })
      session.post('Debugger.enable')
      session.post('Debugger.pause')
      setTimeout(() => undefined, 20_000)`,
      { eval: true, workerData: stoodStill },
    )
    // A thread that runs nothing cannot be made to stand still.
    const running = setInterval(() => undefined, 5)
    await once(asking, 'exit')
    clearInterval(running)
    expect([...stoodStill]).toEqual([1])
  })
})

describe('asking for the stack', () => {
  /** Stands for the main thread, which answers when the test says so. */
  class FakeSession extends EventEmitter {
    static last: FakeSession
    readonly asked: string[] = []
    sign: () => void = () => undefined

    connectToMainThread(): void {
      FakeSession.last = this
    }

    post(method: string, callback?: (error: null) => void): void {
      this.asked.push(method)
      if (method === 'Runtime.getIsolateId') this.sign = () => callback?.(null)
    }

    disconnect(): void {
      this.asked.push('disconnect')
    }

    paused(): void {
      const location = { scriptId: '7', lineNumber: 2, columnNumber: 4 }
      const frame = (functionName: string): object => ({ functionName, location, url: '' })
      const url = 'file:///srv/a%20b.js'
      this.emit('Debugger.scriptParsed', { params: { scriptId: '7', url } })
      this.emit('Debugger.paused', { params: { callFrames: [frame('stuckHere'), frame('')] } })
    }
  }

  const LET_GO = ['Debugger.resume', 'Debugger.disable', 'disconnect']

  function asked(options: StackOptions = {}): {
    readonly clock: FakeClock
    readonly session: FakeSession
    readonly answer: Promise<string | undefined>
  } {
    const clock = new FakeClock()
    jest.doMock('node:inspector', () => ({ Session: FakeSession }))
    const answer = stackOfMainThread({ clock, ...options })
    return { clock, session: FakeSession.last, answer }
  }

  beforeEach(() => jest.resetModules())
  afterEach(() => jest.dontMock('node:inspector'))

  test('gives up on a thread that gives no sign, of which nothing else is asked', async () => {
    const { clock, session, answer } = asked()
    clock.advance(249)
    expect(session.asked).toEqual(['Runtime.getIsolateId'])
    clock.advance(1)
    expect(await answer).toBeUndefined()
    session.sign()
    expect(session.asked).toEqual(['Runtime.getIsolateId', ...LET_GO])
  })

  test('waits longer for one that does', async () => {
    const { clock, session, answer } = asked()
    clock.advance(200)
    session.sign()
    clock.advance(999)
    session.paused()
    expect(await answer).toBe('    at stuckHere (/srv/a b.js:3:5)\n    at /srv/a b.js:3:5')
    expect(session.asked.slice(3)).toEqual(LET_GO)
    expect(clock.pending).toBe(0)
  })

  test('but not for ever', async () => {
    const { clock, session, answer } = asked()
    session.sign()
    clock.advance(1000)
    expect(await answer).toBeUndefined()
    expect(session.asked.slice(3)).toEqual(LET_GO)
    session.paused()
    expect(session.asked.slice(3)).toEqual(LET_GO)
  })

  test.each([
    ['is no longer stuck', () => false],
    [
      'nobody can tell to be stuck',
      () => {
        throw new Error('cannot tell')
      },
    ],
  ])('gives none of a thread that %s, and lets it go', async (_, stuck) => {
    const { session, answer } = asked({ stuck })
    session.sign()
    session.paused()
    expect(await answer).toBeUndefined()
    expect(session.asked.slice(3)).toEqual(LET_GO)
  })

  test('ends at once when it is cancelled', async () => {
    const controller = new AbortController()
    const { signal } = controller
    const { clock, session, answer } = asked({ signal })
    controller.abort()
    expect(await answer).toBeUndefined()
    expect(session.asked.slice(1)).toEqual(LET_GO)
    expect(clock.pending).toBe(0)
    expect(await asked({ signal }).answer).toBeUndefined()
  })
})

describe('there is no stack', () => {
  test('of the main thread for itself', async () => {
    expect(await stackOfMainThread()).toBeUndefined()
  })

  test('where Node has no inspector', async () => {
    await jest.isolateModulesAsync(async () => {
      jest.doMock('node:inspector', () => {
        throw new Error('built without it')
      })
      const stack = require('../../src/sidecar/stack') as typeof import('../../src/sidecar/stack')
      expect(await stack.stackOfMainThread()).toBeUndefined()
    })
    jest.dontMock('node:inspector')
  })
})
