import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { MessagePort, Worker } from 'node:worker_threads'
import { SIDECAR_OLD_MIB, SIDECAR_YOUNG_MIB } from '../base/limits'
import { VERSION } from '../base/version'
import type { SidecarSetup } from './setup'

/** What the program of the second thread is posted for each recorder. */
export interface Tenancy {
  readonly setup: SidecarSetup
  readonly port: MessagePort
}

/** A recorder's part of the second thread. */
export interface Tenant {
  readonly port: MessagePort
  /** Lets the thread go; with its last tenant it ends. Settles when it has, where it does. */
  leave(): Promise<void>
}

interface Running {
  readonly worker: Worker
  readonly tenants: Set<(failure: unknown) => void>
}

/** In a bundle `main.js` would be any file of the app's, likely the app itself: only beside this very file it is ours. */
const PROGRAM = join(
  __dirname,
  /[\\/]sidecar[\\/]second\.\w+$/.test(__filename) ? 'main.js' : 'flog-sidecar.js',
)

/** By version: two copies of this package may not understand each other. */
const KEY = Symbol.for(`flight-log.second.${VERSION}`)

/**
 * Joins the one second thread of the process, which is started where there is none.
 * @param onEnd told when the thread has died; not after `leave()`
 * @param program default the one beside this file
 * @throws Error where the program is missing, or the process can start no thread
 */
export function joinSecondThread(
  setup: SidecarSetup,
  onEnd: (failure: unknown) => void,
  program = PROGRAM,
): Tenant {
  const { MessageChannel } = require('node:worker_threads') as typeof import('node:worker_threads')
  const holder = globalThis as { [KEY]?: Running | undefined }
  holder[KEY] ??= start(program, (ended) => {
    if (holder[KEY] === ended) holder[KEY] = undefined
  })
  const running = holder[KEY]
  const { worker, tenants } = running
  const { port1, port2 } = new MessageChannel()
  tenants.add(onEnd)
  worker.postMessage({ setup, port: port2 } satisfies Tenancy, [port2])
  return {
    port: port1,
    leave: async () => {
      tenants.delete(onEnd)
      port1.close()
      if (tenants.size > 0) return
      if (holder[KEY] === running) holder[KEY] = undefined
      await worker.terminate()
    },
  }
}

function start(program: string, onExit: (ended: Running) => void): Running {
  if (!existsSync(program)) {
    throw new Error(`its program ${program} is missing, which a bundler may have left out`)
  }
  const { Worker } = require('node:worker_threads') as typeof import('node:worker_threads')
  // Not the program's: what it preloads and inspects is meant for itself.
  const { NODE_OPTIONS: _, ...env } = process.env
  const worker = new Worker(program, {
    name: 'flog sidecar',
    execArgv: [],
    env,
    resourceLimits: { maxOldGenerationSizeMb: SIDECAR_OLD_MIB, maxYoungGenerationSizeMb: SIDECAR_YOUNG_MIB },
  })
  worker.unref()
  const running: Running = { worker, tenants: new Set() }
  let failure: unknown
  worker.on('error', (error) => {
    failure = error
  })
  worker.on('exit', () => {
    onExit(running)
    for (const tell of running.tenants) tell(failure)
  })
  return running
}
