import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { formatLogport, parseLogport } from '../../../src/remote/logport'

/** A line between client and publisher that can be cut. */
export class Line {
  readonly #server: Server
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  readonly #url: string
  connections = 0
  bytesToClient = 0
  /** What the client sends is thrown away. */
  deaf = false
  /** Bytes towards the client after which the next connections are cut, one entry each; then none. */
  cuts: number[] = []

  private constructor(url: string) {
    this.#url = url
    const { host, port } = parseLogport(url)
    this.#server = createServer((client) => this.#join(client, connect({ host, port })))
  }

  static async to(url: string): Promise<Line> {
    const line = new Line(url)
    await new Promise<void>((resolve) => line.#server.listen(0, '127.0.0.1', resolve))
    return line
  }

  /** The logport that leads through here. */
  get url(): string {
    return formatLogport({ ...parseLogport(this.#url), port: (this.#server.address() as AddressInfo).port })
  }

  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy()
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #join(client: Socket, server: Socket): void {
    this.connections++
    const pair = [client, server] as const
    this.#pairs.add(pair)
    let left = this.cuts.shift() ?? Number.POSITIVE_INFINITY
    const end = (): void => {
      this.#pairs.delete(pair)
      client.destroy()
      server.destroy()
    }
    for (const socket of pair) socket.on('error', end).on('close', end)
    client.on('data', (bytes) => this.deaf || server.write(bytes))
    server.on('data', (bytes) => {
      this.bytesToClient += bytes.length
      if (left <= 0) return
      client.write(bytes.subarray(0, Math.min(left, bytes.length)))
      left -= bytes.length
      if (left <= 0) setImmediate(end)
    })
  }
}
