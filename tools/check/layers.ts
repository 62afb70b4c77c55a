import { join } from 'node:path'
import type { ICruiseResult } from 'dependency-cruiser'
import type { Finding } from './check'
import { sourceFiles } from './sources'

/** The import rule, `.dependency-cruiser.cjs`, over `src/` and `tools/`. */
export async function layers(root: string): Promise<Finding> {
  const { modules, summary } = await cruised(root)
  const seen = new Set(modules.map(({ source }) => source))
  const unseen = sourceFiles(root, ['src', 'tools']).filter((path) => !seen.has(path))
  const broken = summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)
  // With a compiler that it does not understand dependency-cruiser sees no file at all, and finds nothing wrong.
  const report = [...broken, ...unseen.map((path) => `was not looked at: ${path}`)]
  return { ok: report.length === 0 && seen.size > 0, report: report.join('\n') || 'no file was looked at' }
}

async function cruised(root: string): Promise<ICruiseResult> {
  const { cruise } = await import('dependency-cruiser')
  const { default: extractTSConfig } = await import('dependency-cruiser/config-utl/extract-ts-config')
  const { forbidden, options } = require(join(root, '.dependency-cruiser.cjs')) as {
    readonly forbidden: []
    readonly options: object
  }
  const tsConfig = extractTSConfig(join(root, 'tsconfig.test.json'))
  const ruleSet = { ...options, validate: true, ruleSet: { forbidden }, baseDir: root }
  const { output } = await cruise(['src', 'tools'], ruleSet, undefined, { tsConfig })
  return output as ICruiseResult
}
