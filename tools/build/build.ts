import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { commandsOf, withoutDist, writeEntries } from './entries'
import { withLock } from './lock'
import { writePage } from './page'
import { sourceStamp } from './stamp'

export interface BuildResult {
  readonly ok: boolean
  /** What the compiler said; empty where it had nothing to say. */
  readonly report: string
}

/** In `dist/`: what it was made of, and what there was to say about it. */
const STAMP = '.stamp'
/** Directories of builds under way start with this. */
const UNFINISHED = '.build-'

/**
 * Makes `dist/`, unless it is what the sources give. It appears in one step, so that nobody sees half of it, and several
 * processes may ask at once. Where the types are wrong it is made all the same.
 */
export function build(root: string): BuildResult {
  return (
    builtBefore(root) ?? withLock(join(root, '.build.lock'), () => builtBefore(root) ?? compileAndSwap(root))
  )
}

function builtBefore(root: string): BuildResult | undefined {
  const stamp = join(root, 'dist', STAMP)
  if (!existsSync(stamp)) return undefined
  const [sources, ...report] = readFileSync(stamp, 'utf8').split('\n')
  return sources === sourceStamp(root) ? resultOf(report.join('\n')) : undefined
}

function compileAndSwap(root: string): BuildResult {
  removeAbandoned(root)
  const work = mkdtempSync(join(root, UNFINISHED))
  const fresh = join(work, 'dist')
  const sources = sourceStamp(root)
  try {
    const wrong = compile(root, fresh)
    const report = [wrong, ...writeEntries(root, fresh), ...writePage(root, fresh)]
      .filter((line) => line !== '')
      .join('\n')
    for (const command of commandsOf(root)) chmodSync(join(fresh, withoutDist(command)), 0o755)
    writeFileSync(join(fresh, STAMP), `${sources}\n${report}`)
    swap(join(root, 'dist'), fresh)
    return resultOf(report)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function resultOf(report: string): BuildResult {
  return { ok: report === '', report }
}

/** What builds that were killed have left behind; nobody else builds now. */
function removeAbandoned(root: string): void {
  for (const name of readdirSync(root).filter((name) => name.startsWith(UNFINISHED))) {
    rmSync(join(root, name), { recursive: true, force: true })
  }
}

/** @returns what the compiler found wrong */
function compile(root: string, outDir: string): string {
  const tsc = join(root, 'node_modules/@typescript/native/bin/tsc')
  const args = [tsc, '-p', 'tsconfig.build.json', '--outDir', outDir]
  const { status, stdout, stderr, error } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  if (error !== undefined) throw error
  return status === 0 ? '' : `${stdout}${stderr}`.trim() || `tsc ended with exit code ${status}`
}

function swap(dist: string, fresh: string): void {
  if (existsSync(dist)) renameSync(dist, `${fresh}-before`)
  renameSync(fresh, dist)
}
