import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRecorder } from '../../../src/recorder/recorder'
import { fields } from '../fields'

/** Resident set with and without a recorder, after the first tenth of the events and after the last. */
async function main(): Promise<void> {
  const [, , mode, count] = process.argv
  const events = Number(count)
  const directory = mkdtempSync(join(tmpdir(), 'flog-bench-'))
  const recorder = mode === 'with' ? createRecorder({ directory }) : undefined
  let sum = 0
  const log = (i: number) => {
    const four = fields(i)
    if (recorder === undefined) sum += Object.keys(four).length
    else recorder.log(SEVERITIES[i & 3] as number, 'order accepted', four)
  }
  let early = 0
  for (let i = 0; i < events; i++) {
    log(i)
    if (i === events / 10) early = await settled()
    else if (i % 10_000 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  const late = await settled()
  const rings = recorder?.stats().rings.reduce((bytes, ring) => bytes + ring.usedBytes, 0) ?? 0
  await recorder?.close()
  rmSync(directory, { recursive: true, force: true })
  process.stdout.write(`${JSON.stringify({ early, late, rings, sum })}\n`)
}

const SEVERITIES = [1, 5, 9, 13]

async function settled(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    ;(globalThis as { gc?: () => void }).gc?.()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return process.memoryUsage.rss()
}

void main()
