import { connect, type Socket } from 'node:net'

/**
 * A client of the least cost: one request at a time over one connection, of the answer only its length is looked at. Whoever
 * loads a service on the same machine takes from it what he uses himself.
 */
export class Connection {
  readonly #socket: Socket
  #text = ''
  /** Bytes that are still to come; undefined until the head of the answer was seen. */
  #left: number | undefined
  #answered: (text: string) => void = () => {}

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.setNoDelay(true)
    this.#socket.on('data', (chunk) => this.#receive(chunk))
  }

  /** @returns the answer's body, of which only a first piece is kept */
  get(path: string): Promise<string> {
    this.#left = undefined
    this.#text = ''
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    return new Promise((resolve) => {
      this.#answered = resolve
    })
  }

  end(): void {
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    if (this.#left === undefined) {
      this.#text += chunk.toString('latin1')
      const head = this.#text.indexOf('\r\n\r\n')
      if (head < 0) return
      const [, length] = /content-length: (\d+)/i.exec(this.#text) ?? []
      this.#left = Number(length) - (this.#text.length - head - 4)
      this.#text = this.#text.slice(head + 4)
    } else this.#left -= chunk.length
    if (this.#left === 0) this.#answered(this.#text)
  }
}
