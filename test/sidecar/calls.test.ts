import { once } from 'node:events'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { FlogError } from '../../src/base/errors'
import { Calls, errorOf, failureOf } from '../../src/sidecar/calls'

type Shop = {
  readonly add: (pair: readonly [number, number]) => number
  readonly later: (text: string) => Promise<string>
  readonly fail: (how: 'known' | 'unknown' | 'unclonable details') => never
  readonly secret: (nothing: undefined) => unknown
  readonly note: (text: string) => void
}

const told: string[] = []
const shop: Shop = {
  add: ([a, b]) => a + b,
  later: async (text) => `${text} later`,
  fail: (how) => {
    if (how === 'unknown') throw new TypeError('of another kind')
    const details = how === 'known' ? { option: 'port' } : { port: () => undefined }
    throw new FlogError('FLOG_OPTION_INVALID', 'option port is no port', { details })
  },
  secret: () => () => 'a function',
  note: (text) => told.push(text),
}

let ports: MessagePort[]
let calls: Calls<Shop>
beforeEach(() => {
  const { port1, port2 } = new MessageChannel()
  ports = [port1, port2]
  new Calls(port2, shop)
  calls = new Calls<Shop>(port1, {})
  told.length = 0
})
afterEach(() => {
  for (const port of ports) port.close()
})

test('what is asked is answered, each question by its own answer', async () => {
  const answers = [calls.ask('later', 'first'), calls.ask('add', [2, 3]), calls.ask('add', [4, 5])]
  expect(await Promise.all(answers)).toEqual(['first later', 5, 9])
})

test('what is told arrives before what is asked after it', async () => {
  calls.tell('note', 'one')
  calls.tell('note', 'two')
  await calls.ask('add', [0, 0])
  expect(told).toEqual(['one', 'two'])
})

test('an error of ours has its code and details on the other side, another one its message', async () => {
  await expect(calls.ask('fail', 'known')).rejects.toMatchObject({
    ...{ name: 'FlogError', code: 'FLOG_OPTION_INVALID', details: { option: 'port' } },
    message: 'option port is no port',
  })
  const unknown = await calls.ask('fail', 'unknown').catch((error: unknown) => error)
  expect([FlogError.is(unknown), (unknown as Error).message]).toEqual([false, 'of another kind'])
})

test('what cannot be cloned is a failure of its question alone', async () => {
  await expect(calls.ask('secret', undefined)).rejects.toThrow(/could not be cloned/)
  await expect(calls.ask('add', (() => 1) as never)).rejects.toThrow(/could not be cloned/)
  await expect(calls.ask('fail', 'unclonable details')).rejects.toMatchObject({ code: 'FLOG_OPTION_INVALID' })
  expect(await calls.ask('add', [1, 1])).toBe(2)
})

test('a failure says as much as can be cloned', () => {
  expect(errorOf(failureOf('a text'))).toEqual(new Error('a text'))
  expect(structuredClone(failureOf(new FlogError('FLOG_CLOSED', 'over')))).toMatchObject({
    code: 'FLOG_CLOSED',
  })
})

test('who waits when the other side ends is told, and so is who asks afterwards', async () => {
  const waiting = calls.ask('later', 'never')
  calls.end()
  await expect(waiting).rejects.toMatchObject({ code: 'FLOG_CLOSED' })
  await expect(calls.ask('add', [1, 1])).rejects.toMatchObject({ code: 'FLOG_CLOSED' })
  calls.tell('note', 'into the void')
  ports[0]?.close()
  await once(ports[1] as MessagePort, 'close')
  expect(told).toEqual([])
})

test('who waits no longer is told at once, an answer that comes later is nobody’s, and the process may end', async () => {
  const [port] = ports as [MessagePort & { hasRef(): boolean }]
  const patience = new AbortController()
  const waiting = calls.ask('later', 'too late', patience.signal)
  patience.abort()
  await expect(waiting).rejects.toMatchObject({ code: 'FLOG_ABORTED' })
  expect(port.hasRef()).toBe(false)
  expect(await calls.ask('add', [1, 2], new AbortController().signal)).toBe(3)
})

test('the port keeps a process alive as long as an answer is waited for, and no longer', async () => {
  const [port] = ports as [MessagePort & { hasRef(): boolean }]
  expect(port.hasRef()).toBe(false)
  const answers = [calls.ask('add', [1, 1]), calls.ask('later', 'a little')]
  expect(port.hasRef()).toBe(true)
  await Promise.all(answers)
  expect(port.hasRef()).toBe(false)
  const unanswered = calls.ask('add', [1, 1])
  calls.end()
  expect(port.hasRef()).toBe(false)
  await expect(unanswered).rejects.toMatchObject({ code: 'FLOG_CLOSED' })
})
