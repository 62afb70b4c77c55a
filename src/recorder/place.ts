import { FlogError } from '../base/errors'
import { joinProcess, processState } from './process'

/** What a thread needs to join a recorder of the main thread; worker threads are given it when they start. */
export interface Joinable {
  readonly directory: string
  readonly desk: SharedArrayBuffer
  readonly channel: string
}

interface SharedProcess {
  readonly incarnation: string
  readonly control: SharedArrayBuffer
  readonly recorders: readonly Joinable[]
}

/**
 * Where a recorder that was asked for a second thread stands among the threads of its process. `apart`: in a worker thread
 * that no recorder of the main thread can be joined from; it is a process of its own, as it were, without a second thread.
 */
export type Place =
  | { readonly kind: 'main'; readonly thread: 0 }
  | { readonly kind: 'joined'; readonly thread: number; readonly joins: Joinable }
  | { readonly kind: 'apart'; readonly thread: 0; readonly warning: FlogError }

const KEY = 'flight-log.process.1'

/** To be asked before this thread numbers any event: a thread that joins takes over incarnation and order of the process. */
export function placeOf(directory: string): Place {
  const { isMainThread, threadId, getEnvironmentData } = threading()
  if (isMainThread) return { kind: 'main', thread: 0 }
  const shared = getEnvironmentData(KEY) as SharedProcess | undefined
  const joins = shared?.recorders.find((recorder) => recorder.directory === directory)
  if (shared === undefined || joins === undefined) {
    return apart(
      `the main thread had no recorder with \`sidecar\` and the directory ${directory} when this thread was started`,
    )
  }
  if (joinProcess(shared.incarnation, shared.control)) return { kind: 'joined', thread: threadId, joins }
  return apart('this thread had a recorder without `sidecar` before')
}

/** What threads that are started from here on are given. */
export function changeJoinable(change: (recorders: readonly Joinable[]) => readonly Joinable[]): void {
  const { incarnation, control } = processState()
  const { getEnvironmentData, setEnvironmentData } = threading()
  const shared = getEnvironmentData(KEY) as SharedProcess | undefined
  const recorders = change(shared?.recorders ?? [])
  const data = { incarnation, control: control.memory, recorders } satisfies SharedProcess
  setEnvironmentData(KEY, data as never)
}

function apart(why: string): Place {
  const message = `there is no second thread for the recorder of this worker thread: ${why}`
  return { kind: 'apart', thread: 0, warning: new FlogError('FLOG_SIDECAR_UNAVAILABLE', message) }
}

/** Loaded by who asks for a second thread: it takes 1.4 MB. */
function threading(): typeof import('node:worker_threads') {
  return require('node:worker_threads') as typeof import('node:worker_threads')
}
