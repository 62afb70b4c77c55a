import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createRecorder } from '../../../src/recorder/recorder'
import { type Mode, recorderOptions } from '../everything-on'
import { fields } from '../fields'
import { median, nanoseconds } from '../measure'
import { pause } from './pause'

/** Logs 100,000 events a second for a fifth of a second whenever a line comes in, then prints ns a call. */
async function main(mode: Mode): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'flog-bench-'))
  const recorder = createRecorder(recorderOptions(directory, mode))
  // The warm-up, and the start of a second thread, are over.
  await pause(1000)
  process.stdout.write('ready\n')
  for await (const _ of createInterface(process.stdin)) {
    const bursts: number[] = []
    for (let burst = 0; burst < BURSTS; burst++) {
      bursts.push(nanoseconds(CALLS, (i) => recorder.debug('order accepted', fields(i))))
      await pause(BURST_MS)
    }
    process.stdout.write(`${median(bursts)}\n`)
  }
  await recorder.close()
  rmSync(directory, { recursive: true, force: true })
}

const BURSTS = 20
const CALLS = 1000
const BURST_MS = 10

void main(process.argv[2] as Mode)
