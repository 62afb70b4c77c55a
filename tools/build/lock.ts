import { readlinkSync, renameSync, symlinkSync, unlinkSync } from 'node:fs'
import { systemCode } from '../../src/base/errors'

const POLL_MS = 50
const PATIENCE_MS = 120_000

/**
 * Runs `action` while no other process does. The lock is a symbolic link that names the process which holds it: made with
 * its contents in one step, and no lock any more when that process is gone.
 * @throws Error when another process keeps it for two minutes
 */
export function withLock<T>(path: string, action: () => T): T {
  for (let waited = 0; !take(path); waited += POLL_MS) {
    if (waited >= PATIENCE_MS)
      throw new Error(`another process builds for too long: end it, or remove ${path}`)
    sleep(POLL_MS)
  }
  try {
    return action()
  } finally {
    unlinkSync(path)
  }
}

function take(path: string): boolean {
  try {
    symlinkSync(String(process.pid), path)
    return true
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
    breakAbandoned(path)
    return false
  }
}

/** Of several that see a dead holder one wins the rename; whoever moves the next holder's lock by mistake puts it back. */
function breakAbandoned(path: string): void {
  const holder = holderOf(path)
  if (holder === undefined || isAlive(holder)) return
  const aside = `${path}-${process.pid}`
  try {
    renameSync(path, aside)
    if (holderOf(aside) === holder) unlinkSync(aside)
    else renameSync(aside, path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}

function holderOf(path: string): number | undefined {
  try {
    return Number(readlinkSync(path))
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemCode(error) === 'EPERM'
  }
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
