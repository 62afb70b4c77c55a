import { constants } from 'node:fs'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { systemCode } from '../base/errors'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants

/** Flags for a file that must not be there yet. */
export const CREATE_NEW = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW

/**
 * Opens a regular file, not through a symbolic link, and without waiting on a pipe that somebody put in its place.
 * @throws the system's error, or one with code `EINVAL` for what is no regular file
 */
export async function openRegular(
  path: string,
  access: 'read' | 'read and write' = 'read',
): Promise<FileHandle> {
  const flags = access === 'read' ? O_RDONLY : O_RDWR
  const file = await open(path, flags | O_NOFOLLOW | O_NONBLOCK)
  try {
    if ((await file.stat()).isFile()) return file
    throw Object.assign(new Error(`${path} is not a regular file`), { code: 'EINVAL' })
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Writes all of `bytes` at `position`, in as many writes as the system makes of it. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0
  while (done < bytes.length) {
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten
  }
}

/** The bytes of a file from its start to its present end. Each piece lasts until the next one is asked for. */
export async function* piecesOf(file: FileHandle, pieceBytes: number): AsyncGenerator<Uint8Array, void> {
  const buffer = new Uint8Array(pieceBytes)
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, pieceBytes, position)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
    position += bytesRead
  }
}

/** Makes what is in a file outlast a power cut. */
export async function syncFile(path: string): Promise<void> {
  const file = await openRegular(path, 'read and write')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Makes what was created, renamed or removed in a directory outlast a power cut, where the system can do that. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, O_RDONLY)
  try {
    await directory.sync()
  } catch (error) {
    // Some file systems have no fsync for directories; they order such changes by themselves or not at all.
    if (!['EINVAL', 'ENOTSUP', 'EISDIR', 'EPERM'].includes(systemCode(error) ?? '')) throw error
  } finally {
    await directory.close()
  }
}

/** @returns false where there was nothing to remove */
export async function unlinkIfThere(path: string): Promise<boolean> {
  try {
    await unlink(path)
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}
