import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The version of this package, from the nearest `package.json` above this file: the checkout's or the installed one's. */
export function packageVersion(): string {
  for (let directory = __dirname; ; directory = dirname(directory)) {
    const version = versionIn(join(directory, 'package.json'))
    if (version !== undefined) return version
    if (dirname(directory) === directory) return 'unknown'
  }
}

function versionIn(path: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof parsed !== 'object' || parsed === null || !('name' in parsed) || !('version' in parsed))
      return undefined
    return parsed.name === 'flight-log' && typeof parsed.version === 'string' ? parsed.version : undefined
  } catch {
    return undefined
  }
}
