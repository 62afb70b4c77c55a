import fc from 'fast-check'
import type { IncidentNews } from '../../src/remote/incidents'
import { Line } from './support/line'
import { Rig, take, until } from './support/rig'
import { summaryOf } from './support/sources'

let rig: Rig
beforeEach(() => {
  rig = new Rig()
})
afterEach(() => rig.end())

type News = AsyncGenerator<IncidentNews, void, void>

async function next(news: News): Promise<IncidentNews> {
  return (await news.next()).value as IncidentNews
}

/** Short: `incident 3`, `opened 4`, `caughtUp`. */
const told = (news: IncidentNews): string =>
  news.kind === 'caughtUp' ? news.kind : `${news.kind} ${news.incident.number}`

async function tellings(news: News, count: number): Promise<readonly string[]> {
  const all: string[] = []
  while (all.length < count) all.push(told(await next(news)))
  return all
}

describe('a list', () => {
  test('comes in pages, oldest first, and the open ones with the last', async () => {
    for (const number of [3, 1, 2, 5, 4]) rig.incidents.put(summaryOf(number))
    rig.incidents.put(summaryOf(6, { state: 'open' }), 'open')
    const remote = await rig.connect((await rig.publisher()).url)
    const first = await remote.listIncidents({ limit: 3 })
    expect(first).toMatchObject({ more: true, open: [] })
    const second = await remote.listIncidents({ since: first.cursor, limit: 3 })
    expect(second).toMatchObject({ more: false, open: [{ number: 6, state: 'open' }] })
    expect([...first.incidents, ...second.incidents].map((one) => one.number)).toEqual([1, 2, 3, 4, 5])
    expect(await remote.listIncidents({ since: second.cursor })).toMatchObject({
      incidents: [],
      cursor: second.cursor,
    })
  })

  test('polling tells each incident once, also one that closes after a later one', async () => {
    const remote = await rig.connect((await rig.publisher()).url)
    rig.incidents.put(summaryOf(1, { state: 'open' }), 'open')
    rig.incidents.put(summaryOf(2))
    const first = await remote.listIncidents()
    rig.incidents.put(summaryOf(1))
    const second = await remote.listIncidents({ since: first.cursor })
    const third = await remote.listIncidents({ since: second.cursor })
    expect([first, second, third].map((page) => page.incidents.map((one) => one.number))).toEqual([
      [2],
      [1],
      [],
    ])
  })

  test('a page is bounded in bytes, and a very long trigger is cut', async () => {
    const event = { ...summaryOf(1).trigger.event, fields: { text: 'x'.repeat(15_000) } }
    for (let n = 1; n <= 100; n++)
      rig.incidents.put(summaryOf(n, { trigger: { ...summaryOf(n).trigger, event } }))
    const huge = { ...event, message: 'm'.repeat(500_000) }
    rig.incidents.put(summaryOf(101, { trigger: { ...summaryOf(101).trigger, event: huge } }))
    const remote = await rig.connect((await rig.publisher()).url)
    const seen: number[] = []
    let pages = 0
    for (let since: string | undefined; ; pages++) {
      const page = await remote.listIncidents(since === undefined ? {} : { since })
      seen.push(...page.incidents.map((one) => one.number))
      const last = page.incidents.at(-1)
      if (last?.number === 101)
        expect(last.trigger.event).toMatchObject({ cut: expect.any(Number), fields: {} })
      if (!page.more) break
      since = page.cursor
    }
    expect(pages).toBeGreaterThan(0)
    expect(seen).toEqual(Array.from({ length: 101 }, (_, i) => i + 1))
  })
})

describe('a subscription', () => {
  test('without catch-up tells only what is finished from then on', async () => {
    rig.incidents.put(summaryOf(1))
    rig.incidents.put(summaryOf(2, { state: 'open' }), 'open')
    const remote = await rig.connect((await rig.publisher()).url)
    const news = remote.subscribeToIncidents()
    expect(told(await next(news))).toBe('caughtUp')
    rig.incidents.put(summaryOf(2))
    expect(told(await next(news))).toBe('incident 2')
  })

  test('polling and subscribing share one cursor', async () => {
    for (const number of [1, 2, 3]) rig.incidents.put(summaryOf(number))
    const remote = await rig.connect((await rig.publisher()).url)
    const page = await remote.listIncidents({ limit: 2 })
    const news = remote.subscribeToIncidents({ since: page.cursor })
    const incident = await next(news)
    expect(told(incident)).toBe('incident 3')
    const { cursor } = incident as { cursor: string }
    expect((await remote.listIncidents({ since: cursor })).incidents).toEqual([])
  })

  test('a cursor works for another publisher of the same directory', async () => {
    for (const number of [1, 2]) rig.incidents.put(summaryOf(number))
    const first = await rig.connect((await rig.publisher()).url)
    const { cursor } = await first.listIncidents({ limit: 1 })
    const other = await rig.connect((await rig.publisher({ events: undefined })).url)
    expect((await other.listIncidents({ since: cursor })).incidents.map((one) => one.number)).toEqual([2])
  })

  test('an opened incident moves no cursor and is told again when it is finished', async () => {
    const remote = await rig.connect((await rig.publisher()).url)
    const news = remote.subscribeToIncidents()
    const start = (await next(news)) as { cursor: string }
    rig.incidents.put(summaryOf(1, { state: 'open' }), 'open')
    expect(told(await next(news))).toBe('opened 1')
    rig.incidents.put(summaryOf(1))
    expect(told(await next(news))).toBe('incident 1')
    const again = remote.subscribeToIncidents({ since: start.cursor })
    expect(await tellings(again, 2)).toEqual(['incident 1', 'caughtUp'])
  })

  test('several subscribers share one watch, which ends with the last of them', async () => {
    const remote = await rig.connect((await rig.publisher()).url)
    const all = [1, 2, 3].map(() => remote.subscribeToIncidents())
    for (const news of all) expect(told(await next(news))).toBe('caughtUp')
    expect(rig.incidents.watchers.size).toBe(1)
    rig.incidents.put(summaryOf(1))
    for (const news of all) expect(told(await next(news))).toBe('incident 1')
    for (const news of all) await news.return()
    await until(() => rig.incidents.watchers.size === 0)
  })

  test('a watch that fails, and a list that fails for a moment, lose nothing', async () => {
    const remote = await rig.connect((await rig.publisher()).url)
    const news = remote.subscribeToIncidents()
    expect(told(await next(news))).toBe('caughtUp')
    const { list } = rig.incidents
    rig.incidents.list = () => Promise.reject(new Error('too many open files'))
    const listed = new Promise<void>((resolve) => {
      rig.incidents.list = async () => {
        resolve()
        throw new Error('too many open files')
      }
    })
    rig.incidents.put(summaryOf(1))
    await listed
    rig.incidents.list = list
    rig.incidents.put(summaryOf(2))
    expect(await tellings(news, 2)).toEqual(['incident 1', 'incident 2'])
  })

  test('across lost connections each incident is told once, in whatever order they close', async () => {
    const plan = fc.array(fc.constantFrom('open', 'close', 'cut'), { minLength: 1, maxLength: 25 })
    await fc.assert(
      fc.asyncProperty(plan, fc.infiniteStream(fc.nat(5)), async (steps, pick) => {
        const own = new Rig()
        const line = await Line.to((await own.publisher()).url)
        const remote = await own.connect(line.url)
        const news = remote.subscribeToIncidents({ catchUp: true })
        const open: number[] = []
        let number = 0
        let closed = 0
        for (const step of steps) {
          if (step === 'cut') line.cut()
          else if (step === 'open' || open.length === 0) {
            open.push(++number)
            own.incidents.put(summaryOf(number, { state: 'open' }), 'open')
          } else {
            const [chosen] = open.splice((pick.next().value ?? 0) % open.length, 1)
            own.incidents.put(summaryOf(chosen as number))
            closed++
          }
          await new Promise(setImmediate)
        }
        const seen: string[] = []
        while (seen.filter((one) => one.startsWith('incident')).length < closed)
          seen.push(told(await next(news)))
        own.incidents.put(summaryOf(1000))
        do seen.push(told(await next(news)))
        while (seen.at(-1) !== 'incident 1000')
        const counted = seen.filter((one) => one !== 'caughtUp')
        expect(new Set(counted).size).toBe(counted.length)
        expect(counted.filter((one) => one.startsWith('incident'))).toHaveLength(closed + 1)
        await own.end()
        await line.close()
      }),
      { numRuns: 25 },
    )
  })
})

test('with many incarnations the cursor stays exact, and is not sent whole with each incident', async () => {
  const incarnations = Array.from({ length: 400 }, (_, i) => (i + 1).toString(16).padStart(16, '0'))
  for (const [i, incarnation] of incarnations.entries()) {
    rig.incidents.put(summaryOf(1, { incarnation, openedAt: 1_763_765_549_000_000 + i }))
  }
  const publisher = await rig.publisher()
  const line = await Line.to(publisher.url)
  rig.onEnd(() => line.close())
  const remote = await rig.connect(line.url)
  const news = await take(remote.subscribeToIncidents({ catchUp: true }), 401)
  const cursors = news.flatMap((one) => (one.kind === 'opened' ? [] : [one.cursor]))
  for (const at of [0, 1, 99, 100, 250, 398, 399, 400]) {
    const { incidents } = await remote.listIncidents({ since: cursors[at] as string, limit: 1000 })
    expect(incidents.map(({ incarnation }) => incarnation)).toEqual(incarnations.slice(at + 1))
  }
  // 400 cursors of up to 7 KB would be 1.5 MB
  expect(line.bytesToClient).toBeLessThan(1_000_000)
})
