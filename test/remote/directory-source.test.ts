import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { IncidentDirectory } from '../../src/incident/directory'
import { finishIncident } from '../../src/incident/finish'
import type { IncidentSummary } from '../../src/incident/header'
import { verifyIncidentFile } from '../../src/incident/verify'
import { directorySource } from '../../src/remote/directory-source'
import type { IncidentNews } from '../../src/remote/incidents'
import { incident, OPENED_AT, writeSample } from '../incident/samples'
import { systemClock } from './support/raw'
import { Rig } from './support/rig'
import { sha256 } from './support/sources'

let rig: Rig
let path: string
beforeEach(async () => {
  rig = new Rig()
  path = await rig.directory()
})
afterEach(() => rig.end())

const published = () =>
  rig.publisher({ incidents: directorySource(new IncidentDirectory({ path }), systemClock) })
const sample = (number: number, options: object = {}): string =>
  writeSample(path, { id: incident(number), openedAt: OPENED_AT + number * 1e6, ...options })

test('incidents of a directory are listed and fetched as the files they are', async () => {
  const { path: finished } = await finishIncident(sample(1, { history: 5000, eventBytes: 200 }))
  const open = sample(2, { trailer: false })
  const remote = await rig.connect((await published()).url)
  const page = await remote.listIncidents()
  expect(page.incidents).toMatchObject([{ number: 1, state: 'finished', service: 'samples' }])
  expect(page.open).toMatchObject([{ number: 2, state: 'open' }])
  expect(page.incidents[0]).toEqual(
    (await new IncidentDirectory({ path }).find(incident(1))) as IncidentSummary,
  )

  const to = join(path, 'fetched')
  const whole = await remote.fetchIncident(incident(1), { to })
  expect(await readFile(whole.path)).toEqual(await readFile(finished))
  expect((await verifyIncidentFile(whole.path)).verdict.state).toBe('whole')
  const snapshot = await remote.fetchIncident(incident(2), { to })
  expect(snapshot.representation).toBe('open')
  expect(sha256(await readFile(snapshot.path))).toBe(sha256(await readFile(open)))
  expect(await new IncidentDirectory({ path: to }).list()).toHaveLength(1)
})

test('a subscription sees an incident open, finish, and nothing twice', async () => {
  await finishIncident(sample(1))
  const remote = await rig.connect((await published()).url)
  const news = remote.subscribeToIncidents({ catchUp: true })
  const seen: string[] = []
  const until = async (wanted: string): Promise<void> => {
    while (seen.at(-1) !== wanted) {
      const { value } = (await news.next()) as { value: IncidentNews }
      seen.push(value.kind === 'caughtUp' ? value.kind : `${value.kind} ${value.incident.number}`)
    }
  }
  await until('caughtUp')
  const plain = sample(2)
  await until('opened 2')
  await finishIncident(plain)
  await until('incident 2')
  await finishIncident(sample(3))
  await until('incident 3')
  expect(seen.filter((one) => !one.startsWith('opened'))).toEqual([
    'incident 1',
    'caughtUp',
    'incident 2',
    'incident 3',
  ])
})
