import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from '../../../src/recorder/logger'
import { createRecorder } from '../../../src/recorder/recorder'
import { appThreadNanoseconds } from '../app-thread'
import { recorderOptions } from '../everything-on'

/**
 * A service that does some 0.3 ms of work a request and, `with` a recorder and all that belongs to it, logs five trace
 * events beside; the other one has no recorder at all. Prints its port; `/cpu` tells what its app thread has used. Ends with
 * its standard input.
 */
function main(mode: 'with' | 'without'): void {
  const directory = mkdtempSync(join(tmpdir(), 'flog-bench-'))
  const recorder = mode === 'with' ? createRecorder(recorderOptions(directory, 'with')) : undefined
  const log = recorder?.child({ facility: 'http.server' })
  let served = 0
  const server = createServer((request, response) => {
    if (request.url === '/cpu') {
      response.end(JSON.stringify({ cpu: appThreadNanoseconds(), served }))
      return
    }
    response.end(answer(++served, request.url ?? '', log))
  })
  server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`${(server.address() as AddressInfo).port}\n`)
  })
  process.stdin.resume().on('end', async () => {
    server.closeAllConnections()
    server.close()
    await recorder?.close()
    rmSync(directory, { recursive: true, force: true })
  })
}

function answer(id: number, path: string, log: Logger | undefined): string {
  log?.trace('request {id}', { id, method: 'GET', path })
  const items = Array.from({ length: ITEMS }, (_, i) => ({
    id: id + i,
    name: `item ${i}`,
    price: i * 1.25,
    stock: i & 7,
  }))
  log?.trace('{rows} rows read', { id, rows: items.length, ms: 1.5 })
  const text = JSON.stringify(items)
  log?.trace('rendered', { id, bytes: text.length })
  const tag = createHash('sha256').update(text).digest('hex')
  log?.trace('cache miss for {tag}', { id, tag })
  const again = JSON.parse(text) as typeof items
  const total = again.reduce((sum, item) => sum + item.price * item.stock, 0)
  log?.trace('response {status}', { id, status: 200, total })
  return `{"tag":"${tag}","total":${total},"items":${text}}`
}

const ITEMS = 400

main(process.argv[2] as 'with' | 'without')
