import type { Debugger, Session } from 'node:inspector'
import { fileURLToPath } from 'node:url'
import { type Clock, SystemClock } from '../base/clock'
import {
  STACK_FRAMES,
  STACK_NAME_CHARS,
  STACK_NAMING_MS,
  STACK_PATH_CHARS,
  STACK_WAIT_MS,
} from '../base/limits'

export interface StackOptions {
  readonly clock?: Clock
  /** Milliseconds that the main thread is given for a first sign that it can be interrupted. Default 250. */
  readonly timeoutMs?: number
  /** Milliseconds from then on that the engine is given to name its scripts. Default 1000. */
  readonly namingMs?: number
  /**
   * Asked while the main thread stands still: whether it is still stuck as it was when the stack was asked for. Where it is
   * not, its stack shows something else and is not given. Default: it is.
   */
  readonly stuck?: () => boolean
  /** Gives up at once. */
  readonly signal?: AbortSignal
}

/**
 * What the main thread is doing, from a worker thread: the debugger of the engine interrupts it wherever it is in JavaScript,
 * also in a regular expression, `Atomics.wait` or `JSON.stringify`. It stands still while the engine names all its scripts
 * (`STACK_NAMING_MS` tells how long that takes) and less than a millisecond more, and goes on in any case: with the end of
 * the session the engine lets go, also when this thread ends with it.
 *
 * Never throws. All frames come over, at about a kilobyte each, before all but the first are dropped: a recursion
 * of 5000 calls stands still for a quarter of a second.
 *
 * @returns lines as in `Error.stack`, without a message, innermost first, at most 50; undefined where the thread does not answer
 * (it is in a native call, such as `execSync`), is no longer stuck, or there is no inspector
 */
export function stackOfMainThread(options: StackOptions = {}): Promise<string | undefined> {
  const { clock = new SystemClock(), stuck = () => true, signal } = options
  const { timeoutMs = STACK_WAIT_MS, namingMs = STACK_NAMING_MS } = options
  return new Promise((resolve) => {
    const session = connected()
    if (session === undefined || signal?.aborted === true) {
      session?.disconnect()
      resolve(undefined)
      return
    }
    let ended = false
    const end = (frames?: readonly Debugger.CallFrame[]): void => {
      if (ended) return
      ended = true
      timer.cancel()
      signal?.removeEventListener('abort', giveUp)
      letGo(session)
      resolve(frames === undefined ? undefined : stackText(frames, urls))
    }
    const giveUp = (): void => end()
    let timer = clock.after(timeoutMs, giveUp, { keepAlive: true })
    signal?.addEventListener('abort', giveUp)
    // A frame names its script by number only.
    const urls = new Map<string, string>()
    session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url))
    session.once('Debugger.paused', ({ params }) => end(isStuck(stuck) ? params.callFrames : undefined))
    // Whatever it answers, it is there. One that is in a native call would do all the rest later, for nobody.
    session.post('Runtime.getIsolateId', () => {
      if (ended) return
      timer.cancel()
      timer = clock.after(namingMs, giveUp, { keepAlive: true })
      session.post('Debugger.enable')
      session.post('Debugger.pause', (error) => {
        if (error !== null) end()
      })
    })
  })
}

/** Undefined in the main thread, and in a Node that was built without inspector. */
function connected(): Session | undefined {
  try {
    const { Session } = require('node:inspector') as typeof import('node:inspector')
    const session = new Session()
    session.connectToMainThread()
    return session
  } catch {
    return undefined
  }
}

function isStuck(stuck: () => boolean): boolean {
  try {
    return stuck()
  } catch {
    return false
  }
}

/** Each step by itself would do; the thread of somebody else is worth three. */
function letGo(session: Session): void {
  try {
    session.post('Debugger.resume')
    session.post('Debugger.disable')
  } finally {
    session.disconnect()
  }
}

function stackText(frames: readonly Debugger.CallFrame[], urls: ReadonlyMap<string, string>): string {
  const lines = frames.slice(0, STACK_FRAMES).map(({ functionName, location }) => {
    // The inspector counts from 0, people and Error.stack from 1.
    const column = (location.columnNumber ?? 0) + 1
    const place = `${pathOf(urls.get(location.scriptId))}:${location.lineNumber + 1}:${column}`
    const name = functionName.slice(0, STACK_NAME_CHARS)
    return name === '' ? `    at ${place}` : `    at ${name} (${place})`
  })
  if (frames.length > STACK_FRAMES) lines.push(`    … ${frames.length - STACK_FRAMES} more`)
  return lines.join('\n')
}

function pathOf(url = ''): string {
  if (url === '') return '<anonymous>'
  try {
    if (url.startsWith('file:')) return fileURLToPath(url).slice(0, STACK_PATH_CHARS)
  } catch {
    // A source may call itself anything.
  }
  return url.slice(0, STACK_PATH_CHARS)
}
