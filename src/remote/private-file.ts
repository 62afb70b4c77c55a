import { constants } from 'node:fs'
import { link, lstat, mkdir, open, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { FlogError, messageOf, systemCode } from '../base/errors'
import { type Random, randomHex } from '../base/random'
import { openRegular } from '../incident/files'

/** Small files that only their owner may read: secrets, private keys, logports. */
const MODE = 0o600
const DIRECTORY_MODE = 0o700
const MAX_BYTES = 64 * 1024
const OTHERS_MAY = 0o077

/**
 * Text of a private file; undefined where there is none.
 * @throws FlogError FLOG_KEYS_UNUSABLE when it belongs to somebody else, when others may read it, when it is a symbolic
 * link or no file at all, or cannot be read
 */
export async function readPrivate(path: string): Promise<string | undefined> {
  try {
    const file = await openRegular(path)
    try {
      const { mode, size, uid } = await file.stat()
      // Whoever put it there knows the secret in it
      if (process.geteuid !== undefined && uid !== process.geteuid()) throw foreign(path, uid)
      if (process.platform !== 'win32' && (mode & OTHERS_MAY) !== 0) throw readable(path, mode)
      if (size > MAX_BYTES) throw unusable(path, 'is too long for what it should hold')
      return await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    if (FlogError.is(error)) throw error
    throw unusable(path, `cannot be read: ${messageOf(error)}`, error)
  }
}

/**
 * Writes a file that must not exist: whole or not at all, and of several processes one wins.
 * @returns whether this call made it
 * @throws FlogError FLOG_KEYS_UNUSABLE
 */
export async function createPrivate(path: string, text: string, random: Random): Promise<boolean> {
  return written(path, text, random, async (temporary) => {
    try {
      await link(temporary, path)
      return true
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return false
      if (!WITHOUT_LINKS.has(systemCode(error))) throw error
      return await renameToNew(temporary, path)
    } finally {
      await unlink(temporary).catch(() => undefined)
    }
  })
}

/** What file systems say that have no hard links. */
const WITHOUT_LINKS: ReadonlySet<string | undefined> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
])

/** As a link would, but of two processes at the same moment the later one may win. */
async function renameToNew(temporary: string, path: string): Promise<boolean> {
  if (await lstat(path).catch(() => undefined)) return false
  await rename(temporary, path)
  return true
}

/**
 * Writes a file in place of the one that may be there, at once.
 * @throws FlogError FLOG_KEYS_UNUSABLE
 */
export async function replacePrivate(path: string, text: string, random: Random): Promise<void> {
  await written(path, text, random, (temporary) => rename(temporary, path))
}

async function written<T>(
  path: string,
  text: string,
  random: Random,
  put: (temporary: string) => Promise<T>,
): Promise<T> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomHex(random, 8)}.tmp`)
  try {
    await mkdir(dirname(path), { recursive: true, mode: DIRECTORY_MODE })
    const flags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW
    const file = await open(temporary, flags, MODE)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    return await put(temporary)
  } catch (error) {
    await unlink(temporary).catch(() => undefined)
    throw unusable(path, `cannot be written: ${messageOf(error)}`, error)
  }
}

function foreign(path: string, uid: number): FlogError {
  return unusable(path, `belongs to another user (${uid}): name a directory of your own for the keys`)
}

function readable(path: string, mode: number): FlogError {
  const shown = (mode & 0o777).toString(8)
  return unusable(
    path,
    `can be read by others (mode ${shown}): make new ones by deleting it, or chmod 600 it`,
  )
}

function unusable(path: string, what: string, cause?: unknown): FlogError {
  return new FlogError('FLOG_KEYS_UNUSABLE', `${path} ${what}`, { cause, details: { path } })
}
