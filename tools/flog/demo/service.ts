import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SystemClock } from '../../../src/base/clock'
import type { Incident } from '../../../src/recorder/incident'
import { createRecorder } from '../../../src/recorder/recorder'
import { packageVersion } from '../version'
import type { ServiceMessage, ServiceOrder } from './messages'
import { Shop } from './shop'

/** The service of `flog demo`, a process of its own: started with the directory for incidents as its argument. */
void main(process.argv[2] ?? 'incidents')

async function main(directory: string): Promise<void> {
  const recorder = createRecorder({
    directory,
    service: 'demo-shop',
    version: packageVersion(),
    // Long enough to see the consequences, short enough to wait for.
    reporter: { postTrigger: { events: 2000, ms: 1000 } },
  })
  const clock = new SystemClock()
  const shop = new Shop(recorder, clock)
  const server = createServer((request, response) => void shop.handle(request, response))
  const publisher = await recorder.publish()
  recorder.on('incident', (incident) => queueMicrotask(() => tell(messageOf(incident, shop.slowestErrorMs))))
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    tell({ kind: 'listening', port, logportFile: publisher.logportFile })
  })
  const end = async (): Promise<void> => {
    server.close()
    server.closeAllConnections()
    await recorder.close()
    if (process.connected) process.disconnect()
  }
  process.on('message', (order: ServiceOrder) => {
    if (order.kind === 'end') return void end()
    shop.broken = order.kind === 'break'
    if (order.kind === 'repair') shop.pool.reset()
  })
  process.once('disconnect', () => void end())
  // Ctrl-C reaches the whole group; the demo decides when its service ends.
  process.on('SIGINT', () => undefined)
}

function messageOf(incident: Incident, writtenMs: number): ServiceMessage {
  const { id, path = '', summary } = incident
  if (incident.phase === 'opened') return { kind: 'opened', id, path, writtenMs }
  return { kind: 'closed', id, path, events: summary?.events?.total ?? 0, bytes: summary?.bytes ?? 0 }
}

function tell(message: ServiceMessage): void {
  if (process.connected) process.send?.(message)
}
