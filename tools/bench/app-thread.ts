import { readFileSync } from 'node:fs'

/**
 * Nanoseconds of processor time that the main thread of this process has had. Where the platform does not tell for one
 * thread, those of the whole process, with all its threads.
 */
export function appThreadNanoseconds(): number {
  try {
    const [ran = ''] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')
    return Number(ran)
  } catch {
    const { user, system } = process.cpuUsage()
    return (user + system) * 1000
  }
}
