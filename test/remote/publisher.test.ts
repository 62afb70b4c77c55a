import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parseLogport, resolveLogport } from '../../src/remote/logport'
import { Rig, take, until } from './support/rig'
import { sha256, summaryOf } from './support/sources'

let rig: Rig
beforeEach(() => {
  rig = new Rig()
})
afterEach(() => rig.end())

describe.each([false, true])('with TLS %s', (tls) => {
  test('a client learns who publishes', async () => {
    const publisher = await rig.publisher({ tls })
    const remote = await rig.connect(publisher.url)
    expect(remote.about).toMatchObject({ service: 'shop', pid: 4711, allows: 'read', tail: true })
  })

  test('it lists incidents, fetches one, and tails', async () => {
    const publisher = await rig.publisher({ tls })
    const bytes = Buffer.alloc(300_000, 'incident ')
    rig.incidents.put(summaryOf(1), 'gzip', bytes)
    const remote = await rig.connect(publisher.url)
    expect((await remote.listIncidents()).incidents).toEqual([summaryOf(1)])
    const { path } = await remote.fetchIncident(summaryOf(1).id, {
      to: join(await rig.directory(), 'fetched'),
    })
    expect(sha256(await readFile(path))).toBe(sha256(bytes))
    rig.events.log('before')
    const tail = remote.tail({ catchUp: true })
    expect((await tail.next()).value).toMatchObject({ message: 'before' })
    rig.events.log('after')
    expect(await take(tail, 1)).toMatchObject([{ message: 'after' }])
  })

  test('it subscribes to incidents', async () => {
    const publisher = await rig.publisher({ tls })
    rig.incidents.put(summaryOf(1))
    const remote = await rig.connect(publisher.url)
    const news = remote.subscribeToIncidents({ catchUp: true })
    expect(await news.next()).toMatchObject({ value: { kind: 'incident', incident: { number: 1 } } })
    expect(await news.next()).toMatchObject({ value: { kind: 'caughtUp' } })
    rig.incidents.put(summaryOf(2, { state: 'open' }), 'open')
    expect(await news.next()).toMatchObject({ value: { kind: 'opened', incident: { number: 2 } } })
    rig.incidents.put(summaryOf(2))
    expect(await news.next()).toMatchObject({ value: { kind: 'incident', incident: { number: 2 } } })
  })
})

test('beyond this machine it publishes with TLS or not at all', async () => {
  const refused = rig.publisher({ host: '0.0.0.0' })
  await expect(refused).rejects.toMatchObject({
    code: 'FLOG_OPTION_INVALID',
    message: expect.stringContaining('option tls'),
  })
  const publisher = await rig.publisher({ host: '0.0.0.0', tls: true, publicHost: 'localhost' })
  expect(publisher.url).toMatch(/^flogs:\/\/localhost:/)
  const remote = await rig.connect(publisher.url)
  expect(remote.about.service).toBe('shop')
})

const badOptions: readonly (readonly [string, object])[] = [
  ['port', { port: 70_000 }],
  ['port', { port: 1.5 }],
  ['host', { host: 'a/b' }],
  ['publicHost', { publicHost: 'evil#x', tls: true }],
  ['tls', { publicHost: 'shop.example' }],
  ['limits.connections', { limits: { connections: 0 } }],
]

test.each(badOptions)('option %s: %j is refused by name', async (option, options) => {
  const refused = rig.publisher(options)
  await expect(refused).rejects.toMatchObject({ code: 'FLOG_OPTION_INVALID', details: { option } })
})

test('it is bound to loopback unless told otherwise', async () => {
  const publisher = await rig.publisher()
  expect(parseLogport(publisher.url).host).toBe('127.0.0.1')
  const { networkInterfaces } = await import('node:os')
  const own = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
  const outside = own.find((one) => !one.internal && one.family === 'IPv4')
  if (outside === undefined) return
  const response = fetch(`http://${outside.address}:${publisher.port}/`)
  await expect(response).rejects.toThrow()
})

test('its logports stay the same when it starts again, and differ from each other', async () => {
  const first = await rig.publisher({ tls: true })
  const { url, controlUrl, port } = first
  await first.close()
  const second = await rig.publisher({ tls: true, port })
  expect([second.url, second.controlUrl]).toEqual([url, controlUrl])
  expect(parseLogport(url).secret).not.toEqual(parseLogport(controlUrl).secret)
})

test('logport files hold the logports for their owner alone, while it runs', async () => {
  const publisher = await rig.publisher()
  const keys = join(await rig.directory(), 'keys')
  expect(await resolveLogport(keys, {})).toEqual(parseLogport(publisher.url))
  expect(await resolveLogport(publisher.controlLogportFile, {})).toEqual(parseLogport(publisher.controlUrl))
  for (const name of await readdir(keys)) expect((await stat(join(keys, name))).mode & 0o777).toBe(0o600)
  await publisher.close()
  expect(
    (await readdir(keys)).filter((name) => name.startsWith('logport') && !/\.(json|pem)$/.test(name)),
  ).toEqual([])
})

test('a logport file that another publisher put in its place is left to that one', async () => {
  const first = await rig.publisher()
  const second = await rig.publisher()
  await first.close()
  expect(await resolveLogport(second.logportFile, {})).toEqual(parseLogport(second.url))
})

test('its numbers tell what goes on', async () => {
  const publisher = await rig.publisher()
  const remote = await rig.connect(publisher.url)
  void remote
    .tail()
    .next()
    .catch(() => undefined)
  await until(() => publisher.stats().tails === 1)
  expect(publisher.stats()).toMatchObject({ connections: 1, accepted: 1, unauthenticated: 0, malformed: 0 })
  await remote.close()
  await until(() => publisher.stats().connections === 0)
  expect(publisher.stats()).toMatchObject({ tails: 0, accepted: 1 })
})

test('closing twice is closing once', async () => {
  const publisher = await rig.publisher()
  await rig.connect(publisher.url)
  await Promise.all([publisher.close(), publisher.close()])
})

test.each(['shop:80', '[::1]', 'a b', ''])('%p is no host', async (publicHost) => {
  await expect(rig.publisher({ tls: true, publicHost })).rejects.toMatchObject({
    code: 'FLOG_OPTION_INVALID',
  })
})

test('one that cannot write its logport listens no more', async () => {
  const first = await rig.publisher()
  const { port } = first
  await first.close()
  const keys = join(await rig.directory(), 'others')
  await mkdir(join(keys, 'logport', 'in the way'), { recursive: true })
  await expect(rig.publisher({ port, keys })).rejects.toMatchObject({ code: 'FLOG_KEYS_UNUSABLE' })
  expect((await rig.publisher({ port })).port).toBe(port)
})
