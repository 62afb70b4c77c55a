import type { RecorderOptions } from '../../src/recorder/options'

/** `with` and `without` the second thread. */
export type Mode = 'with' | 'without'

/** Options of a recorder with all that runs beside the app: black box, watchdog, samples of the process's health. */
export function recorderOptions(directory: string, mode: Mode): RecorderOptions {
  return { directory, sidecar: mode === 'with' }
}
