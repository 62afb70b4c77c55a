import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** What `dist/` is made of. */
const INPUTS = [
  'src',
  'tools/flog',
  'tools/bench',
  'tools/main-job',
  'tools/survive',
  'tools/build',
  'tsconfig.json',
  'tsconfig.build.json',
  'package.json',
]

/** Changes whenever a name or a byte of the sources does; times say little after a checkout. */
export function sourceStamp(root: string): string {
  const hash = createHash('sha256')
  for (const path of INPUTS.flatMap((input) => filesUnder(root, input))) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update('\0')
  }
  return hash.digest('hex')
}

function filesUnder(root: string, path: string): string[] {
  if (!existsSync(join(root, path))) return []
  if (!statSync(join(root, path)).isDirectory()) return [path]
  return readdirSync(join(root, path))
    .sort()
    .flatMap((name) => filesUnder(root, `${path}/${name}`))
}
