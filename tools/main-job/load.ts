import { Agent, request } from 'node:http'

export interface LoadOptions {
  readonly port: number
  readonly clients: number
  /** Share of requests, 0 to 1, that are refunds. */
  readonly refunds: number
  /** Ends the load. */
  readonly signal: AbortSignal
}

export interface LoadResult {
  readonly served: number
  readonly failed: number
}

/** Clients that ask for items, one request after the other each, and now and then for a refund, until the signal. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: options.clients })
  let served = 0
  let failed = 0
  let asked = 0
  const client = async () => {
    while (!options.signal.aborted) {
      const refund = asked++ % 100 < options.refunds * 100
      const status = await ask(
        options.port,
        refund ? 'POST' : 'GET',
        refund ? '/refund' : `/items/${asked}`,
        agent,
      )
      if (status === 200) served++
      else failed++
    }
  }
  await Promise.all(Array.from({ length: options.clients }, client))
  agent.destroy()
  return { served, failed }
}

/** @returns the status; 0 where there was no answer */
function ask(port: number, method: string, path: string, agent: Agent): Promise<number> {
  return new Promise((resolve) => {
    const asking = request({ host: '127.0.0.1', port, method, path, agent }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
    asking.on('error', () => resolve(0))
    asking.end()
  })
}
