import { catacomb } from '../../../src/collector/engine/catacomb'
import { partRef, type Worker } from '../../../src/collector/engine/part'
import { type Deferred, deferred } from '../../../src/collector/engine/workers'
import { ERROR_MS, error, Rig, settle } from './rig'

/** A worker that says when it is told to stop, and obeys where it is to. */
class Child implements Worker {
  killed: unknown[] = []
  readonly #name: string
  readonly #log: string[]
  readonly #obeys: boolean
  readonly #end: Deferred = deferred()

  constructor(name: string, log: string[] = [], obeys = true) {
    this.#name = name
    this.#log = log
    this.#obeys = obeys
  }

  kill(reason?: unknown): void {
    this.killed.push(reason)
    this.#log.push(`${this.#name} told to stop`)
    if (this.#obeys) this.#end.resolve()
  }

  wait(): Promise<void> {
    return this.#end.promise
  }

  report(): unknown {
    return this.#name
  }

  end(reason?: Error): void {
    if (reason === undefined) this.#end.resolve()
    else this.#end.reject(reason)
  }
}

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

/** A catacomb over children that works until it is told to stop. */
function over(...children: Child[]): { whole: Worker; ended: () => boolean } {
  const whole = catacomb(async ({ add, signal }) => {
    for (const child of children) add(child)
    await untilAborted(signal)
  })
  let ended = false
  const end = () => {
    ended = true
  }
  whole.wait().then(end, end)
  return { whole, ended: () => ended }
}

test('children are told to stop with their parent, the youngest first, and waited for', async () => {
  const log: string[] = []
  const stubborn = new Child('b', log, false)
  const { whole, ended } = over(new Child('a', log), stubborn, new Child('c', log))
  whole.kill('enough')
  whole.kill('twice')
  await settle()
  expect([log, ended()]).toEqual([['c told to stop', 'b told to stop', 'a told to stop'], false])
  expect(stubborn.killed).toMatchObject([{ code: 'FLOG_ABORTED', cause: 'enough' }])
  stubborn.end()
  await expect(whole.wait()).resolves.toBeUndefined()
})

test('a child that fails takes all the others with it, and what it failed of is the answer', async () => {
  const children = [new Child('a'), new Child('b')]
  const { whole } = over(...children)
  const failure = error('b is broken')
  children[1]?.end(failure)
  await expect(whole.wait()).rejects.toBe(failure)
  expect(children[0]?.killed).toHaveLength(1)
})

test('a child that ends in order is forgotten', async () => {
  const children = [new Child('a'), new Child('b')]
  const { whole, ended } = over(...children)
  children[0]?.end()
  await settle()
  expect([whole.report?.(), ended()]).toEqual([{ children: ['b'] }, false])
  whole.kill()
  await whole.wait()
  expect([children[0]?.killed.length, children[1]?.killed.length]).toEqual([0, 1])
})

test('when the work is done, or fails, so are the children', async () => {
  const child = new Child('a')
  const done = catacomb(async ({ add }) => void add(child))
  await expect(done.wait()).resolves.toBeUndefined()
  const second = new Child('b')
  const failing = catacomb(
    async ({ add }) => {
      add(second)
      throw error('the work')
    },
    () => 'busy',
  )
  expect(failing.report?.()).toEqual({ work: 'busy', children: ['b'] })
  await expect(failing.wait()).rejects.toThrow('the work')
  expect([child.killed.length, second.killed.length]).toEqual([1, 1])
})

test('a child that comes when all are told to stop is told so at once, and waited for', async () => {
  const late = new Child('late', [], false)
  let ended = false
  const whole = catacomb(async ({ add, signal }) => {
    await untilAborted(signal).catch(() => {})
    expect(add(late)).toBe(late)
    add(late)
  })
  whole.wait().then(() => {
    ended = true
  })
  whole.kill()
  await settle()
  expect([late.killed.length, ended]).toEqual([1, false])
  late.end()
  await whole.wait()
})

test('children may misbehave: kill, wait and report may throw, or refuse later', async () => {
  const broken = (what: string) => () => {
    throw error(`${what} is broken`)
  }
  const fine = new Child('fine')
  const noWait = { kill: () => {}, wait: broken('wait'), report: broken('report') }
  const whole = catacomb(async ({ add, signal }) => {
    add(fine)
    add(noWait)
    await untilAborted(signal)
  })
  expect(whole.report?.()).toEqual({ children: ['fine', { error: 'report is broken' }] })
  await expect(whole.wait()).rejects.toThrow('wait is broken')
  for (const kill of [broken('kill'), () => Promise.reject(error('kill is broken')) as never]) {
    const end = deferred()
    const stopping = catacomb(async ({ add, signal }) => {
      add({ kill, wait: () => end.promise })
      await untilAborted(signal)
    })
    stopping.kill()
    await settle()
    end.resolve()
    await expect(stopping.wait()).rejects.toThrow('kill is broken')
  }
  expect(fine.killed).toHaveLength(1)
})

test('a catacomb is a part like any other', async () => {
  const rig = new Rig()
  const children: Child[] = []
  const start = () =>
    catacomb(async ({ add, signal }) => {
      children.push(add(new Child(`child ${children.length}`)))
      await untilAborted(signal)
    })
  rig.engine.install(partRef('a'), { start })
  await settle()
  children[0]?.end(error('a child'))
  await settle()
  expect(rig.of('a')).toMatchObject({ state: 'waiting', error: 'a child' })
  await rig.pass(ERROR_MS)
  expect(rig.of('a')).toMatchObject({ state: 'started', report: { children: ['child 1'] } })
  rig.engine.kill()
  expect(await rig.end()).toBeUndefined()
  expect(children[1]?.killed).toHaveLength(1)
})
