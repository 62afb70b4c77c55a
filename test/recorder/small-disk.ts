import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'

/** A file system of its own, in memory, mounted at a new directory. Needs the right to mount. */
export class SmallDisk {
  readonly path: string

  /** @param size as `mount` takes it: `256k` */
  constructor(path: string, size: string) {
    this.path = path
    mkdirSync(path)
    run('mount', '-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', path)
  }

  remount(options: string): void {
    run('mount', '-o', `remount,${options}`, this.path)
  }

  end(): void {
    run('umount', '--lazy', this.path)
  }
}

/** Whether tests may mount: only root may, and not in every container. */
export function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const script = 'd=$(mktemp -d) && mount -t tmpfs tmpfs "$d" && umount "$d"; s=$?; rmdir "$d"; exit $s'
  return spawnSync('sh', ['-c', script]).status === 0
}

function run(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
}
