import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { messageOf } from '../../../base/errors'
import type { FromThread, ThreadData, ToThread } from './messages'

/**
 * The program of the thread in which the embedded database runs: a statement there blocks its thread for as long as it
 * takes, and nobody else may feel that.
 */
type Lite = import('@electric-sql/pglite').PGlite

const { PGlite } = require('@electric-sql/pglite') as typeof import('@electric-sql/pglite')

/** Sync, so that whatever an error left behind ends; then back to what a new connection would find. LISTEN stays. */
const RESET = Buffer.concat([simple('S'), simple('Q', 'ROLLBACK'), simple('Q', 'RESET ALL')])

const { directory } = workerData as ThreadData

async function start(): Promise<Lite> {
  if (directory === undefined) return PGlite.create('memory://')
  if (!existsSync(join(directory, 'PG_VERSION'))) await make(directory)
  return PGlite.create(directory)
}

/** Beside its place, and moved there when it is whole: whoever is killed meanwhile leaves nothing that looks like one. */
async function make(place: string): Promise<void> {
  const unfinished = `${place}.making`
  rmSync(unfinished, { recursive: true, force: true })
  const lite = await PGlite.create(unfinished)
  await lite.close()
  rmSync(place, { recursive: true, force: true })
  renameSync(unfinished, place)
}

async function handle(lite: Lite, message: ToThread): Promise<void> {
  if (message.kind === 'data') {
    const bytes = await lite.execProtocolRaw(message.bytes)
    // A copy: the thread's memory is not to be handed over, nor read later.
    tell({ kind: 'data', session: message.session, bytes: bytes.slice() })
  } else if (message.kind === 'end') {
    await lite.execProtocolRaw(RESET)
    tell({ kind: 'ended', session: message.session })
  } else {
    await lite.close()
    tell({ kind: 'closed' })
  }
}

async function main(): Promise<void> {
  const lite = await start()
  let last: Promise<void> = Promise.resolve()
  parentPort?.on('message', (message: ToThread) => {
    last = last.then(() => handle(lite, message)).catch(fail)
  })
  tell({ kind: 'ready' })
}

function tell(message: FromThread): void {
  parentPort?.postMessage(message)
}

function fail(error: unknown): void {
  tell({ kind: 'failed', message: messageOf(error) })
}

/** A message of the protocol: its type, its length, and a text that ends with a zero byte, if any. */
function simple(type: string, text?: string): Buffer {
  const body = text === undefined ? Buffer.alloc(0) : Buffer.from(`${text}\0`)
  const head = Buffer.alloc(5)
  head.write(type, 0, 'latin1')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

main().catch(fail)
