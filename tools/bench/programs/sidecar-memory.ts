import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRecorder } from '../../../src/recorder/recorder'
import { type Mode, recorderOptions } from '../everything-on'
import { fields } from '../fields'
import { pause } from './pause'
import { settledResidentSet } from './resident'

/** Resident set of a fresh process with a publisher that nobody asks, after one incident of 8 MiB was compressed. */
async function main(mode: Mode): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'flog-bench-'))
  const eight = { trace: '2MiB', debug: '2MiB', info: '2MiB', warn: '2MiB' }
  const reporter = { postTrigger: { events: 1 } }
  const recorder = createRecorder({ ...recorderOptions(directory, mode), rings: eight, reporter })
  // The second thread keeps no process alive, whatever is waited for.
  const alive = setInterval(() => {}, 1000)
  await recorder.publish()
  await pause(1000)
  for (let i = 0; i < 120_000; i++) {
    recorder.log(SEVERITIES[i & 3] as number, 'order accepted', fields(i))
    if (i % 10_000 === 0) await pause(1)
  }
  recorder.error('payment {id} failed', { id: 7 })
  const incident = recorder.currentIncident
  recorder.info('after')
  const bytes = (await incident?.closed)?.bytes ?? Number.NaN
  await recorder.flush()
  const resident = await settledResidentSet()
  await recorder.close()
  clearInterval(alive)
  rmSync(directory, { recursive: true, force: true })
  process.stdout.write(`${JSON.stringify({ resident, bytes })}\n`)
}

const SEVERITIES = [1, 5, 9, 13]

void main(process.argv[2] as Mode)
