import { AsyncLocalStorage } from 'node:async_hooks'
import type { AddressInfo } from 'node:net'
import express from 'express'
import winston from 'winston'
import { runWithContext } from '../../src/event/context'
import { IncidentTransport } from '../../src/winston'
import { Pool } from './pool'

/**
 * A shop as people write them: express, winston, a pool of database leases; and the transport under test. Prints a line of
 * JSON when it serves, and one when an incident opens and closes; runs until it is told to end (SIGTERM).
 *
 * `POST /refund` has the bug: it does not give its lease back. Some hundred of them later nothing gets one any more.
 */
async function main(directory: string): Promise<void> {
  const transport = new IncidentTransport({
    directory,
    service: 'shop',
    version: '1.4.2',
    reporter: { postTrigger: { events: 100, ms: 1000 } },
  })
  transport.recorder.on('incident', ({ id, phase }) => say({ incident: id, phase }))
  const logger = winston.createLogger({
    level: 'silly',
    format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
    transports: [new winston.transports.Console({ level: 'error', stderrLevels: ['error'] }), transport],
  })
  const publisher = await transport.recorder.publish({ host: '127.0.0.1', tls: true })
  const server = shop(logger).listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    say({ port, logport: publisher.url })
  })
  process.once('SIGTERM', () => {
    server.close()
    server.closeAllConnections()
    logger.end()
    void transport.flush().then(() => publisher.close())
  })
}

function say(fact: object): void {
  process.stdout.write(`${JSON.stringify(fact)}\n`)
}

const LEASES = 32
const LEASE_MS = 2
/** How long a request waits for a lease before it fails. */
const PATIENCE_MS = 300

function shop(logger: winston.Logger): express.Express {
  const requests = new AsyncLocalStorage<number>()
  const pool = new Pool(LEASES, PATIENCE_MS, logger.child({ facility: 'db.pool' }))
  const http = logger.child({ facility: 'http.server' })
  const payment = logger.child({ facility: 'payment' })
  const app = express()
  let served = 0
  app.use((request, response, next) => {
    const id = ++served
    const start = performance.now()
    http.debug('request', { id, method: request.method, path: request.path })
    response.on('finish', () => {
      http.verbose('response', { id, status: response.statusCode, ms: performance.now() - start })
    })
    runWithContext({ traceId: `trace-${id}` }, () => requests.run(id, next))
  })
  app.get('/items/:id', async (request, response) => {
    const lease = await pool.take()
    await lease.query('select * from item where id = $1', LEASE_MS)
    lease.giveBack()
    response.json({ id: request.params['id'], price: 12.5 })
  })
  app.post('/refund', async (_request, response) => {
    const lease = await pool.take()
    await lease.query('update payment set refunded = true', LEASE_MS)
    payment.warn('lease not returned', { open: pool.open })
    response.json({ refunded: true })
  })
  app.use(
    (error: Error, request: express.Request, response: express.Response, _next: express.NextFunction) => {
      payment.error('payment {id} failed', { id: requests.getStore(), path: request.path, error })
      response.status(503).json({ error: error.message })
    },
  )
  return app
}

void main(process.argv[2] ?? 'incidents')
