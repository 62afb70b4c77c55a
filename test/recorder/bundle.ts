import { join } from 'node:path'
import { buildSync } from 'esbuild'

/** One of `fixtures/programs` with all that it imports, in one file of plain JavaScript: it starts four times as fast. */
export function bundle(name: string, directory: string): string {
  const outfile = join(directory, `${name}.js`)
  const entryPoints = [join(__dirname, '../../fixtures/programs', `${name}.ts`)]
  buildSync({ entryPoints, outfile, bundle: true, platform: 'node', target: 'node20', logLevel: 'error' })
  return outfile
}
