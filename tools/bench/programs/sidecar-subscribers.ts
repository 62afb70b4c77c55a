import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createRecorder } from '../../../src/recorder/recorder'
import { recorderOptions } from '../everything-on'
import { fields } from '../fields'
import { pause } from './pause'
import { settledResidentSet } from './resident'

/**
 * What a subscriber costs a process whose second thread publishes: resident set with so many that tail everything from the
 * start and take nothing of it, less without them. The events go on meanwhile.
 */
async function main(subscribers: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'flog-bench-'))
  const recorder = createRecorder(recorderOptions(directory, 'with'))
  const alive = setInterval(() => {}, 1000)
  const { logportFile } = await recorder.publish()
  let n = 0
  const logging = setInterval(() => {
    for (let i = 0; i < 200; i++) recorder.debug('order accepted', fields(n++))
  }, 20)
  await pause(2000)
  const before = await settledResidentSet()
  const holders = await hold(logportFile, subscribers)
  await pause(3000)
  const after = await settledResidentSet()
  holders.stdin?.end()
  await once(holders, 'exit')
  clearInterval(logging)
  await recorder.close()
  clearInterval(alive)
  rmSync(directory, { recursive: true, force: true })
  process.stdout.write(`${JSON.stringify({ each: (after - before) / subscribers, before, after })}\n`)
}

/** In another process: their side of it is not what is measured. */
async function hold(logport: string, subscribers: number): Promise<ChildProcess> {
  const program = join(__dirname, 'sidecar-holders.js')
  const child = spawn(process.execPath, [program, logport, String(subscribers)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit').then(([code]) =>
    Promise.reject(new Error(`the subscribers ended: ${code}`)),
  )
  ended.catch(() => {})
  await Promise.race([once(createInterface(child.stdout), 'line'), ended])
  return child
}

void main(Number(process.argv[2]))
