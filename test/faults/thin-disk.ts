import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SmallDisk } from '../recorder/small-disk'

/**
 * A file system that is larger than the device under it. When that has no room left, the system goes on taking writes, and
 * only fsync tells that they did not arrive: with ENOSPC, then EIO. Needs the right to mount, and a loop device.
 */
export class ThinDisk {
  readonly path: string
  readonly #under: SmallDisk
  readonly #image: string

  constructor(path: string, under: string) {
    this.path = path
    this.#under = new SmallDisk(under, '2m')
    this.#image = join(under, 'image')
    try {
      run('truncate', '-s', '64m', this.#image)
      run('mkfs.ext2', '-q', '-F', this.#image)
      mkdirSync(path, { recursive: true })
      this.#mount()
    } catch (error) {
      this.#under.end()
      throw error
    }
  }

  /** The device under it is full from now on. */
  fail(): void {
    try {
      writeFileSync(join(this.#under.path, 'filler'), Buffer.alloc(4 * 1024 ** 2))
    } catch {
      // As it should be.
    }
  }

  heal(): void {
    this.#under.remount('size=64m')
  }

  /** Only what arrived on the device is there afterwards. */
  mountAgain(): void {
    run('umount', this.path)
    this.#mount()
  }

  end(): void {
    run('umount', '--lazy', this.path)
    this.#under.end()
  }

  #mount(): void {
    run('mount', '-o', 'loop', this.#image, this.path)
  }
}

/** Whether tests may mount such a disk: not in every container. */
export function canMountThinDisk(): boolean {
  const root = mkdtempSync(join(tmpdir(), 'flog-thin-'))
  try {
    new ThinDisk(join(root, 'disk'), join(root, 'under')).end()
    return true
  } catch {
    return false
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

function run(command: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`)
}
