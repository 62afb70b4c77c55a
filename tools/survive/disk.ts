import { spawnSync } from 'node:child_process'

/** A file system of its own in memory, mounted over a directory. Needs the right to mount. */
export class SmallDisk {
  readonly #path: string

  /** 64 KiB: less than the history of an incident. @throws where it cannot be mounted */
  constructor(path: string) {
    this.#path = path
    run('mount', '-t', 'tmpfs', '-o', 'size=64k,mode=0700', 'tmpfs', path)
  }

  /** Makes room for any number of incidents. */
  grow(): void {
    run('mount', '-o', 'remount,size=64m', this.#path)
  }

  end(): void {
    run('umount', '--lazy', this.#path)
  }
}

/** Only root may mount, and not in every container. */
export function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const script = 'd=$(mktemp -d) && mount -t tmpfs tmpfs "$d" && umount "$d"; s=$?; rmdir "$d"; exit $s'
  return spawnSync('sh', ['-c', script]).status === 0
}

function run(command: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
}
