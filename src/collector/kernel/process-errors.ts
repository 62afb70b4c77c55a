import type { Kernel } from './kernel'

/** The part that the process as a whole is. */
export const PROCESS_PART = 'process'
/** Of recorders about themselves; they must not come back to them. */
export const RECORDER_PART = 'recorder'
const RECORDER_WARNING = 'FlogWarning'

/**
 * Reports what happens to the process: errors nobody caught, rejections nobody handled, warnings. What is there to forward is
 * in the spool before the process ends. Only watches: the process ends, or goes on, and with the exit code, as without us.
 * @returns a function that takes it back
 */
export function watchProcess(kernel: Kernel): () => void {
  const onThrown = (error: unknown, origin: string): void => {
    const work = { origin }
    kernel.report({ part: PROCESS_PART, kind: 'error', level: 'error', error, work })
    // Asynchronous work would come to nothing: after this call the process is gone.
    kernel.flushSync()
  }
  const onWarning = (warning: Error): void => {
    const part = warning.name === RECORDER_WARNING ? RECORDER_PART : PROCESS_PART
    kernel.report({ part, kind: 'error', level: 'warning', error: warning })
  }
  const onExit = (): void => kernel.flushSync()
  process.on('uncaughtExceptionMonitor', onThrown)
  process.on('warning', onWarning)
  process.on('exit', onExit)
  return () => {
    process.off('uncaughtExceptionMonitor', onThrown)
    process.off('warning', onWarning)
    process.off('exit', onExit)
  }
}
