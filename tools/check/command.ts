import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Check } from './check'

/** Holds when an installed command ends with exit code 0. */
export function command(name: string, args: readonly string[]): Check {
  return (root) => {
    const path = join(root, 'node_modules/.bin', name)
    const { status, stdout, stderr, error } = spawnSync(path, args, {
      cwd: root,
      encoding: 'utf8',
      input: '',
    })
    if (error !== undefined) throw error
    return { ok: status === 0, report: `${stdout}${stderr}`.trim() }
  }
}
