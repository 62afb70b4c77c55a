import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Finding } from './check'
import { sourceFiles } from './sources'

/**
 * Time, timers and randomness come from `src/base`, which tests can replace: these reach past it. `new Date(ms)`, which only
 * formats, is fine; so is `setImmediate`, which lets others have their turn.
 */
const AMBIENT =
  /\bDate\.now\b|\bnew Date\(\s*\)|\bnew Date\b(?!\()|\bset(?:Timeout|Interval)\b|\bperformance\.now\b|\bhrtime\b|\bMath\.random\b|\brandom(?:Bytes|UUID|Fill|FillSync|Int)\b|\bgetRandomValues\b|\bscheduler\.wait\b/

/** Beside base itself: the same for the viewer's page, programs that measure time, and those that stand for a user's. */
const EXEMPT = /^(src\/base|tools\/bench|tools\/main-job)\/|^src\/viewer\/page\/browser\.ts$/

export function ambient(root: string): Finding {
  const report = sourceFiles(root, ['src', 'tools'])
    .filter((path) => !EXEMPT.test(path))
    .flatMap((path) => ambientUses(readFileSync(join(root, path), 'utf8')).map((use) => `${path}:${use}`))
  return { ok: report.length === 0, report: report.join('\n') }
}

/** @returns `line: what stands there` for each */
export function ambientUses(source: string): readonly string[] {
  return withoutComments(source)
    .split('\n')
    .flatMap((line, index) => (AMBIENT.test(line) ? [`${index + 1}: ${line.trim()}`] : []))
}

/** Comments become blank, so that lines keep their numbers. Good enough for text that a formatter has been over. */
function withoutComments(source: string): string {
  return source.replace(/^\s*\/\*[\s\S]*?\*\/|(?<!['":`])\/\/.*$/gm, (comment) =>
    comment.replace(/[^\n]/g, ''),
  )
}
