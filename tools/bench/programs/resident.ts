import { pause } from './pause'

/** Resident set of this process in bytes, once what is garbage in its main thread is gone. Needs `--expose-gc`. */
export async function settledResidentSet(): Promise<number> {
  for (let i = 0; i < 5; i++) {
    ;(globalThis as { gc?: () => void }).gc?.()
    await pause(200)
  }
  return process.memoryUsage.rss()
}
