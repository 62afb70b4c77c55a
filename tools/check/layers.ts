import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { ICruiseResult } from 'dependency-cruiser'
import type { Finding } from './check'
import { sourceFiles } from './sources'

/** The import rule, `.dependency-cruiser.cjs`, over `src/` and `tools/`. */
export function layers(root: string): Finding {
  const { modules, summary } = cruised(root)
  const seen = new Set(modules.map(({ source }) => source))
  const unseen = sourceFiles(root, ['src', 'tools']).filter((path) => !seen.has(path))
  const broken = summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)
  // With a compiler that it does not understand dependency-cruiser sees no file at all, and finds nothing wrong.
  const report = [...broken, ...unseen.map((path) => `was not looked at: ${path}`)]
  return {
    ok: report.length === 0 && seen.size > 0,
    report: seen.size > 0 ? report.join('\n') : 'no file was looked at',
  }
}

/** Its own exit code counts violations; the answer is in what it prints. */
function cruised(root: string): ICruiseResult {
  const path = join(root, 'node_modules/.bin/depcruise')
  const args = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src', 'tools']
  const { stdout, stderr } = spawnSync(path, args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 })
  if (stdout === '') throw new Error(`dependency-cruiser did not answer: ${stderr}`)
  return JSON.parse(stdout) as ICruiseResult
}
