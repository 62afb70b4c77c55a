import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { createRecorder } from '../../src/recorder/recorder'
import { fields } from './fields'
import { compare, median, type Result, result } from './measure'
import { runProgram } from './programs'

/** What one call costs beside pino, and what the recorder takes of memory. */
export async function capture(quick: boolean): Promise<readonly Result[]> {
  return [...(await directCall(quick)), ...memory(quick)]
}

async function directCall(quick: boolean): Promise<readonly Result[]> {
  const directory = mkdtempSync(join(tmpdir(), 'flog-bench-'))
  const recorder = createRecorder({ directory })
  const log = pino({ level: 'trace' }, { write() {} })
  const child = recorder.child({ facility: 'db.pool', fields: { shard: 3, zone: 'a' } })
  const contestants = {
    pino: (i: number) => log.debug(fields(i), 'order accepted'),
    flog: (i: number) => recorder.debug('order accepted', fields(i)),
    'flog child': (i: number) => child.debug('order accepted', fields(i)),
    nothing: (i: number) => void fields(i),
  }
  const turns = { calls: 50_000, turns: quick ? 15 : 60 }
  const direct = await compare(contestants, 'flog', 'pino', turns)
  await recorder.close()
  rmSync(directory, { recursive: true, force: true })
  return [
    result('direct call / pino to a discarding stream', direct.ratio, 0.35, {
      aim: 0.25,
      figures: direct.figures,
    }),
  ]
}

const MiB = 1024 * 1024

/** What else is resident differs by a tenth from process to process: several, and their median. */
const PROCESSES = 5
const SHORT_RUN = 1_000_000

function memory(quick: boolean): readonly Result[] {
  const events = quick ? SHORT_RUN : 10_000_000
  const without = median(early('without'))
  const resident = median(early('with'))
  const used = runProgram('memory', 'with', events)
  const over = (resident - without - (used['rings'] ?? 0)) / MiB
  const growth = ((used['late'] ?? 0) - (used['early'] ?? 0)) / MiB
  return [
    result('memory over rings', over, 8, {
      unit: 'MiB',
      figures: { 'rss without recorder': without, 'rss with': resident, rings: used['rings'] ?? 0 },
    }),
    result(`growth over ${events / 1e6} million events`, growth, 4, { unit: 'MiB', figures: used }),
  ]
}

function early(mode: 'with' | 'without'): readonly number[] {
  return Array.from({ length: PROCESSES }, () => runProgram('memory', mode, SHORT_RUN)['early'] ?? Number.NaN)
}
