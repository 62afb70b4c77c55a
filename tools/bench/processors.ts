import { execFileSync } from 'node:child_process'

/**
 * Keeps the main thread of a process on one processor: where a service and who loads it share two, the system moves them to
 * and fro, and any third thread moves them more, which hides what is measured. Other threads of the process stay free.
 * @returns false where the system has no `taskset`, or not that many processors
 */
export function keepOnProcessor(pid: number, processor: number): boolean {
  try {
    execFileSync('taskset', ['-pc', String(processor), String(pid)], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
