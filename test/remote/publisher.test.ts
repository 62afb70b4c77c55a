import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Rig, take } from './support/rig'
import { sha256, summaryOf } from './support/sources'

let rig: Rig
beforeEach(() => {
  rig = new Rig()
})
afterEach(() => rig.end())

for (const tls of [false, true]) {
  describe(tls ? 'over TLS' : 'without TLS', () => {
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
      const page = await remote.listIncidents()
      expect(page.incidents).toEqual([summaryOf(1)])
      const to = join(await rig.directory(), 'fetched')
      const fetched = await remote.fetchIncident(summaryOf(1).id, { to })
      expect(sha256(await readFile(fetched.path))).toBe(sha256(bytes))
      expect((await stat(fetched.path)).mode & 0o777).toBe(0o600)
      rig.events.log('before')
      const tail = remote.tail({ catchUp: true })
      const first = await tail.next()
      expect(first.value).toMatchObject({ message: 'before' })
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
}
