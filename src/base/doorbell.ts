import { rmSync, statfsSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { dirname } from 'node:path'
import { systemCode } from './errors'

/**
 * Tells whether a process is alive that cannot be looked up: of another container, or of a boot before this one. It holds
 * a socket open in the file system; where nobody does any more, connecting is refused, by the kernel and at once.
 */
export interface Doorbell {
  readonly path: string
  /** Idempotent. */
  remove(): void
}

/** Bytes of a socket's path, `sun_path` of unix(7), less the zero at its end; other systems have a few less. */
const PATH_BYTES = 103

/**
 * File systems that no other kernel than this one can have mounted now, by the number that statfs(2) gives. On a shared one,
 * the sockets of other machines look like those of the dead.
 */
const LOCAL: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x9123683e, // Btrfs
  0x2fc12fc1, // ZFS
  0xf2f52010, // F2FS
  0x794c7630, // overlayfs
  0x01021994, // tmpfs
])

/** Undefined where none can be had: then nobody can tell. */
export async function hangDoorbell(path: string): Promise<Doorbell | undefined> {
  if (Buffer.byteLength(path) > PATH_BYTES || !isLocal(path)) return undefined
  const server = createServer((socket) => socket.destroy())
  if (!(await listens(server, path))) return undefined
  server.unref()
  return {
    path,
    remove: () => {
      server.close()
      rmSync(path, { force: true })
    },
  }
}

/** Whether somebody holds a doorbell open; `unknown` where that cannot be told from here. */
export async function ring(path: string): Promise<'alive' | 'dead' | 'unknown'> {
  if (!isLocal(path)) return 'unknown'
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.on('connect', () => {
      socket.destroy()
      resolve('alive')
    })
    socket.on('error', (error) => {
      const code = systemCode(error)
      resolve(code === 'ECONNREFUSED' || code === 'ENOENT' ? 'dead' : 'unknown')
    })
  })
}

function listens(server: Server, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    server.on('error', () => resolve(false))
    server.listen(path, () => resolve(true))
  })
}

function isLocal(path: string): boolean {
  try {
    return LOCAL.has(statfsSync(dirname(path)).type)
  } catch {
    return false
  }
}
