import { parentPort, workerData } from 'node:worker_threads'
import { App } from './rig'

/** Logs as fast as it can into rings of its own until it is told to stop. */
const { flags, startAt } = workerData as { readonly flags: Int32Array; readonly startAt: number }
const app = new App(2, startAt)
parentPort?.postMessage({ rings: app.handles, control: app.control.memory })
Atomics.wait(flags, 0, 0)
let written = 0
for (; Atomics.load(flags, 1) === 0; written++) {
  app.log(written % 2, 20 + ((written * 7919) % 3000))
  if (written % 512 === 0) Atomics.wait(flags, 1, 0, 1)
}
parentPort?.postMessage({ written })
