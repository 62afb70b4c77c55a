import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { acceptPublishers } from '../../src/remote/accept'
import { isTailNotice } from '../../src/remote/tail'
import { TYPESCRIPT } from '../typescript'
import { Rig } from './support/rig'

let rig: Rig
beforeEach(() => {
  rig = new Rig()
})
afterEach(() => rig.end())

interface Program {
  readonly child: ChildProcessByStdio<Writable, Readable, null>
  line(): Promise<string>
}

function run(name: string, ...parameters: readonly string[]): Program {
  const path = join(__dirname, '../../fixtures/programs', name)
  const child = spawn(process.execPath, [...TYPESCRIPT, path, ...parameters], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  rig.onEnd(() => child.kill('SIGKILL'))
  const lines: Interface = createInterface({ input: child.stdout })
  const iterator = lines[Symbol.asyncIterator]()
  return { child, line: async () => (await iterator.next()).value as string }
}

test('a publisher in a worker thread answers while the main thread is stuck', async () => {
  const { child, line } = run('publish-from-worker.ts', await rig.directory())
  const remote = await rig.connect(await line())
  const tail = remote.tail({ catchUp: true })
  expect((await tail.next()).value).toMatchObject({ message: 'started' })
  let free = false
  const freed = line().then((text) => {
    free = true
    return text
  })
  const until = join(await rig.directory(), 'answered')
  child.stdin.write(`stick ${until}\n`)
  const seen: string[] = []
  while (seen.length < 50) {
    const { value } = await tail.next()
    if (value !== undefined && !isTailNotice(value)) seen.push(value.message)
  }
  expect((await remote.listIncidents()).incidents).toEqual([])
  expect(free).toBe(false)
  await writeFile(until, '')
  expect(seen.slice(0, 50)).toEqual(Array.from({ length: 50 }, (_, i) => `stuck ${i}`))
  expect(await freed).toBe('free')
})

test('neither a publisher, nor its clients, nor dialling out keeps a process alive', async () => {
  const directory = await rig.directory()
  const port = await acceptPublishers({ keys: join(directory, 'collector'), onPublisher: () => undefined })
  rig.onEnd(() => port.close())
  const { child, line } = run('publish-and-end.ts', directory, '300', port.url)
  const ended = once(child, 'exit')
  const remote = await rig.connect(await line())
  const news = remote.subscribeToIncidents()
  await news.next()
  expect(await line()).toBe('over')
  expect(await ended).toEqual([0, null])
})
