import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../../src/base/errors'
import {
  type CONTROL_LOGPORT_FILE,
  LOGPORT_FILE,
  LOGPORT_VARIABLE,
  type Logport,
  looksLikeLogport,
  parseLogport,
  resolveLogport,
} from '../../src/remote/logport'
import { Problem, UsageError } from './failure'
import type { Surroundings } from './verb'

/** What a command was pointed at. */
export type Target =
  | { readonly kind: 'logport'; readonly logport: Logport }
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string }

/** Where a publisher keeps keys and logports, in the directory of incidents that it publishes. */
export const KEYS_DIRECTORY = '.flog'

const SCHEME = /^flogs?:\/\//

/**
 * A logport (itself, a file that holds one, or from the environment), a directory, or a file.
 * @throws UsageError where nothing is named; FlogError FLOG_LOGPORT_INVALID
 */
export async function resolveTarget(given: string | undefined, io: Surroundings): Promise<Target> {
  const { env } = io
  if (given === undefined) {
    if (!env[LOGPORT_VARIABLE]) throw new UsageError('nothing to look at was named', HINT)
    return { kind: 'logport', logport: await resolveLogport(undefined, env) }
  }
  if (looksLikeLogport(given)) return { kind: 'logport', logport: parseLogport(given) }
  const kind = await kindOf(given)
  if (kind === 'missing') throw new UsageError(`${given}: there is no such file or directory`, HINT)
  if (kind === 'directory') return directoryTarget(given, io)
  if (await holdsLogport(given)) return { kind: 'logport', logport: await resolveLogport(given, env) }
  return { kind: 'file', path: given }
}

const HINT = `name a directory of incidents or a logport (flog://…, or a file that holds it), or set ${LOGPORT_VARIABLE}`

/** A publisher's own directory holds its logport, and no incidents. */
async function directoryTarget(path: string, { env }: Surroundings): Promise<Target> {
  const published = (await kindOf(join(path, LOGPORT_FILE))) === 'file'
  return published
    ? { kind: 'logport', logport: await resolveLogport(path, env) }
    : { kind: 'directory', path }
}

/**
 * The logport that a command was given, or that a directory of incidents holds while a process publishes it.
 * @param file the one for reading, or the one for control
 * @throws FlogError FLOG_LOGPORT_INVALID
 */
export async function logportOf(
  given: string | undefined,
  file: typeof LOGPORT_FILE | typeof CONTROL_LOGPORT_FILE,
  { env }: Surroundings,
): Promise<Logport> {
  if (given !== undefined && !looksLikeLogport(given) && (await kindOf(given)) === 'directory') {
    for (const path of [join(given, file), join(given, KEYS_DIRECTORY, file)]) {
      if ((await kindOf(path)) === 'file') return resolveLogport(path, env)
    }
    throw new Problem(`${given}: no process publishes this directory now`, `publish it: flog serve ${given}`)
  }
  return resolveLogport(given, env)
}

async function kindOf(path: string): Promise<'file' | 'directory' | 'missing'> {
  try {
    return (await stat(path)).isDirectory() ? 'directory' : 'file'
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return 'missing'
    throw error
  }
}

async function holdsLogport(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0)
    return SCHEME.test(buffer.toString('latin1', 0, bytesRead))
  } finally {
    await file.close()
  }
}
