/** What the second thread runs, for each recorder that joins; started by `second.ts`. */
import { parentPort } from 'node:worker_threads'
import { Calls, failureOf } from './calls'
import type { Tenancy } from './second'
import type { AppService } from './setup'
import { SidecarThread } from './thread'

parentPort?.on('message', ({ setup, port }: Tenancy) => {
  try {
    new SidecarThread(setup, port)
  } catch (error) {
    // One recorder that cannot be served is no reason to let the others down.
    new Calls<AppService>(port, {}).tell('trouble', failureOf(error))
  }
})
