import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRecorder } from '../../../src/recorder/recorder'
import { appThreadNanoseconds } from '../app-thread'
import { type Mode, recorderOptions } from '../everything-on'
import { fields } from '../fields'
import { median, nanoseconds } from '../measure'

/** What a call takes of the app thread, in one fresh process: processor time, and time on the clock, in ns. */
async function main(mode: Mode, turns: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'flog-bench-'))
  const recorder = createRecorder(recorderOptions(directory, mode))
  // The warm-up, and the start of a second thread, are over.
  await pause(1000)
  const wall: number[] = []
  const cpu: number[] = []
  for (let turn = -WARM_UP_TURNS; turn < turns; turn++) {
    const before = appThreadNanoseconds()
    const time = nanoseconds(CALLS, (i) => recorder.debug('order accepted', fields(i)))
    const used = (appThreadNanoseconds() - before) / CALLS
    if (turn >= 0) {
      wall.push(time)
      cpu.push(used)
    }
    // Whoever reads the rings comes to it, as beside a program that waits now and then.
    await pause(2)
  }
  await recorder.close()
  rmSync(directory, { recursive: true, force: true })
  process.stdout.write(`${JSON.stringify({ cpu: median(cpu), wall: median(wall) })}\n`)
}

const CALLS = 20_000
const WARM_UP_TURNS = 10

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

void main(process.argv[2] as Mode, Number(process.argv[3]))
