import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Published } from '../../fixtures/programs/with-sidecar'
import { connect, type Remote } from '../../src/remote/client'
import { formatLogport } from '../../src/remote/logport'
import { take } from '../remote/support/rig'
import { sha256 } from '../remote/support/sources'
import { type SidecarProgram, SidecarPrograms } from './programs'

let programs: SidecarPrograms
beforeAll(() => {
  programs = new SidecarPrograms()
})
const remotes: Remote[] = []
afterEach(async () => {
  for (const remote of remotes.splice(0)) await remote.close()
})
afterAll(() => programs.end())

const NO_WATCH = { sidecar: { stallMs: 0 } } as const

async function connected(program: SidecarProgram, role: 'url' | 'controlUrl' = 'url'): Promise<Remote> {
  const published = (await program.ask({ do: 'publish' })) as Published
  const remote = await connect(published[role], { backoff: { firstMs: 10, maxMs: 50 } })
  remotes.push(remote)
  return remote
}

test('a publisher answers while the app is in a loop: lists, fetches, tails, and captures', async () => {
  const program = await programs.start(NO_WATCH)
  await program.ask({ do: 'log', severity: 'error', message: 'it fails' })
  await program.finished(1)
  const remote = await connected(program, 'controlUrl')
  let isFree = false
  const loop = program.ask({ do: 'loop', ms: 4000 }).then(() => {
    isFree = true
  })
  const tail = remote.tail()
  expect(await take(tail, 3)).toMatchObject(Array(3).fill({ message: 'in the loop' }))
  const { incidents } = await remote.listIncidents()
  expect(incidents).toHaveLength(1)
  const [{ id = '' } = {}] = incidents
  const fetched = await remote.fetchIncident(id, { to: join(programs.root, 'fetched') })
  const [name = ''] = program.incidents()
  expect(sha256(readFileSync(fetched.path))).toBe(sha256(readFileSync(join(program.directory, name))))
  const captured = await remote.capture('from afar')
  expect(captured).toMatchObject({ trigger: { kind: 'manual', reason: 'from afar' } })
  expect(isFree).toBe(false)

  await loop
  const files = await program.finished(2)
  // Who was too late to take the wish has not made a second one of it.
  expect(files.map(({ header }) => header?.trigger.kind)).toEqual(['event', 'manual'])
  expect(files[1]?.header?.id).toBe(captured?.id)
  await program.until(async () => (await program.state()).incidents.length === 4)
})

test('a capture is the app’s own as long as it turns: its reporter is asked', async () => {
  const program = await programs.start(NO_WATCH, { header: { of: 'the app' } })
  const remote = await connected(program, 'controlUrl')
  const captured = await remote.capture('from afar')
  const [file] = await program.finished(1)
  expect(file?.header).toMatchObject({ id: captured?.id, extra: { of: 'the app' } })
})

test('the publisher is in the second thread: the app loads nothing of it', async () => {
  const program = await programs.start(NO_WATCH)
  await connected(program)
  const { modules } = await program.state()
  expect(modules.filter((path) => /remote.(publisher|serve|websocket)|node_modules.ws/.test(path))).toEqual(
    [],
  )
})

test('options that are refused are refused by name, as without a second thread', async () => {
  const program = await programs.start(NO_WATCH)
  await expect(program.ask({ do: 'publish', port: 70_000 })).rejects.toThrow('FLOG_OPTION_INVALID')
  await program.ask({ do: 'publish' })
  await expect(program.ask({ do: 'dial out', logport: 'no logport' })).rejects.toThrow('FLOG_LOGPORT_INVALID')
})

test('dialling out tells of its connections', async () => {
  const program = await programs.start(NO_WATCH)
  await program.ask({ do: 'publish' })
  const secret = new Uint8Array(32)
  const logport = formatLogport({ host: '127.0.0.1', port: 1, role: 'publish', secret })
  await program.ask({ do: 'dial out', logport })
  await program.until(async () => (await program.state()).connections[0] === 'waiting')
})

test('a publisher that is closed answers no more, and closing the recorder closes the others', async () => {
  const program = await programs.start(NO_WATCH)
  const first = (await program.ask({ do: 'publish' })) as Published
  await program.ask({ do: 'unpublish' })
  await expect(connect(first.url)).rejects.toMatchObject({ code: 'FLOG_REMOTE_UNREACHABLE' })
  const second = (await program.ask({ do: 'publish' })) as Published
  expect(await program.ask({ do: 'close' })).toBeLessThan(1000)
  await expect(connect(second.url)).rejects.toMatchObject({ code: 'FLOG_REMOTE_UNREACHABLE' })
})

test('its logport stays the same when the second thread died and was started again', async () => {
  const program = await programs.start(NO_WATCH)
  const remote = await connected(program)
  const died = new Promise<void>((resolve) => {
    remote.on('connection', ({ kind }) => kind === 'waiting' && resolve())
  })
  await program.ask({ do: 'kill the second thread' })
  await died
  // It connects again to the same address, with the same secret.
  expect(await remote.listIncidents()).toMatchObject({ incidents: [] })
  const tail = remote.tail()
  const events = take(tail, 1)
  await program.until(async () => {
    await program.ask({ do: 'log', severity: 'info', message: 'after the death' })
    return (await Promise.race([events, undefined])) !== undefined
  })
  expect(await events).toMatchObject([{ message: 'after the death' }])
})
