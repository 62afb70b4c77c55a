import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { SystemClock } from '../../src/base/clock'
import type { Recorder } from '../../src/recorder/recorder'
import { connect, type Remote } from '../../src/remote/client'
import { isTailNotice } from '../../src/remote/tail'
import { take } from '../remote/support/rig'
import { RecorderRig } from './rig'

let rig: RecorderRig
let recorder: Recorder
const remotes: Remote[] = []
beforeEach(() => {
  rig = new RecorderRig()
  recorder = rig.recorder({ service: 'shop', version: '1.0' }, new SystemClock())
})
afterEach(async () => {
  for (const remote of remotes.splice(0)) await remote.close()
  await rig.end()
})

async function remote(url: string): Promise<Remote> {
  const connected = await connect(url)
  remotes.push(connected)
  return connected
}

test('a client lists and fetches incidents of a recorder, and knows whose they are', async () => {
  const publisher = await recorder.publish()
  const client = await remote(publisher.url)
  expect(client.about).toMatchObject({
    service: 'shop',
    version: '1.0',
    incarnation: recorder.origin.incarnation,
  })
  recorder.error('payment failed')
  const incident = recorder.currentIncident
  for (let i = 0; i < 100; i++) recorder.info('after')
  await incident?.closed
  expect((await client.listIncidents()).incidents).toMatchObject([{ id: incident?.id, state: 'finished' }])
  const to = join(rig.root, 'fetched')
  mkdirSync(to)
  const { path } = await client.fetchIncident(incident?.id ?? '', { to })
  expect(path.startsWith(to)).toBe(true)
})

test('a tail shows history where asked to, and live events', async () => {
  const publisher = await recorder.publish()
  const client = await remote(publisher.url)
  recorder.debug('earlier')
  const tail = take(client.tail({ catchUp: true }), 20)
  const logging = setInterval(() => recorder.debug('later'), 5)
  const items = await tail.finally(() => clearInterval(logging))
  const texts = items.flatMap((item) => (isTailNotice(item) ? [] : [item.message]))
  expect(texts[0]).toBe('earlier')
  expect(texts.at(-1)).toBe('later')
})

test('the control logport captures an incident, the other one may not', async () => {
  const publisher = await recorder.publish()
  const reader = await remote(publisher.url)
  await expect(reader.capture('not mine')).rejects.toMatchObject({ code: 'FLOG_REMOTE_FORBIDDEN' })
  const control = await remote(publisher.controlUrl)
  const summary = await control.capture('from afar')
  expect(summary).toMatchObject({ trigger: { kind: 'manual', reason: 'from afar' } })
  expect(recorder.currentIncident?.id).toBe(summary?.id)
})

test('publishers are closed with the recorder, and a closed recorder publishes no more', async () => {
  const publisher = await recorder.publish()
  const late = recorder.publish()
  const closing = recorder.close()
  await expect(late).rejects.toMatchObject({ code: 'FLOG_CLOSED' })
  await closing
  await expect(connect(publisher.url)).rejects.toMatchObject({ code: 'FLOG_REMOTE_UNREACHABLE' })
  await expect(recorder.publish()).rejects.toMatchObject({ code: 'FLOG_CLOSED' })
})
