import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Names of incident files, ours and Foolscap's, whole or open. */
const INCIDENT = /\.flog(?:\.gz|\.bz2)?$/

/**
 * The incident files that are meant: files as they are, of directories those that are in them, in the order of their names,
 * which begin with the time. Where one is there plain and compressed, the compressed one is taken.
 */
export async function incidentPaths(given: readonly string[]): Promise<readonly string[]> {
  const paths = await Promise.all(
    given.map(async (path) => ((await isDirectory(path)) ? filesIn(path) : [path])),
  )
  return [...new Set(paths.flat())]
}

async function filesIn(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isFile() && INCIDENT.test(entry.name)).map(({ name }) => name)
  const all = new Set(names)
  return names
    .filter((name) => !name.startsWith('.') && !all.has(`${name}.gz`) && !all.has(`${name}.bz2`))
    .sort()
    .map((name) => join(directory, name))
}

function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
