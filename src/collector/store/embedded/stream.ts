import { Duplex } from 'node:stream'

export interface SessionOptions {
  /** Resolves when the database is up, to what sends bytes to it. */
  readonly connect: () => Promise<(bytes: Uint8Array) => void>
  readonly end: () => Promise<void>
}

const AUTHENTICATION_OK = [0x52, 0, 0, 0, 8, 0, 0, 0, 0]
const READY_FOR_QUERY = [0x5a, 0, 0, 0, 5, 0x49]
const WELCOME = Uint8Array.from([...AUTHENTICATION_OK, ...READY_FOR_QUERY])
const TERMINATE = 0x58

/**
 * What `pg` takes for a socket: PostgreSQL's protocol goes to the thread and back as it is. Only the first message, with the
 * user's name and the like, is answered here, and the last one kept: the database in the thread goes on for the next session.
 */
export class SessionStream extends Duplex {
  readonly #options: SessionOptions
  #send: ((bytes: Uint8Array) => void) | undefined
  #isWelcome = false

  constructor(options: SessionOptions) {
    super()
    this.#options = options
  }

  connect(): this {
    this.#options.connect().then(
      (send) => {
        if (this.destroyed) return
        this.#send = send
        this.emit('connect')
      },
      (error) => this.destroy(error),
    )
    return this
  }

  override _write(chunk: Uint8Array, _: string, done: () => void): void {
    this.#forward([chunk])
    done()
  }

  /** Together: one message to the thread for the five or so that make up one query. */
  override _writev(chunks: readonly { readonly chunk: Uint8Array }[], done: () => void): void {
    this.#forward(chunks.map(({ chunk }) => chunk))
    done()
  }

  override _final(done: () => void): void {
    this.push(null)
    done()
  }

  override _read(): void {}

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#options.end().then(
      () => {},
      () => {},
    )
    done(error)
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  #forward(chunks: readonly Uint8Array[]): void {
    const messages = this.#isWelcome ? chunks : chunks.slice(1)
    if (!this.#isWelcome) {
      this.#isWelcome = true
      this.push(WELCOME)
    }
    const bytes = Buffer.concat(messages.filter((message) => message[0] !== TERMINATE))
    // Its own memory: that of a Buffer may be a part of a pool, all of which would be copied.
    if (bytes.length > 0) this.#send?.(new Uint8Array(bytes))
  }
}
