import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** The TypeScript files in these directories, as paths from `root` with slashes. */
export function sourceFiles(root: string, directories: readonly string[]): readonly string[] {
  return directories
    .filter((directory) => existsSync(join(root, directory)))
    .flatMap((directory) =>
      readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
        .map((path) => `${directory}/${path.replaceAll('\\', '/')}`)
        .filter((path) => path.endsWith('.ts'))
        .sort(),
    )
}
