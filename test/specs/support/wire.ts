import { once } from 'node:events'
import { createServer, type Server, type Socket, connect as tcp } from 'node:net'

/** An answer that has been given, and has not arrived. */
export interface HeldAnswer {
  /** Resolves when the database has given it: what was asked for is done. */
  readonly given: Promise<void>
  deliver(): void
  /** It never arrives: the connection is lost. */
  cut(): void
}

interface Hold {
  readonly text: string
  readonly given: () => void
  line: Line | undefined
}

/** Between a database's clients and its server: answers can be kept back, connections cut, and no new ones let through. */
export class Wire {
  readonly #server: Server
  readonly #target: URL
  readonly #lines = new Set<Line>()
  #hold: Hold | undefined
  #cutBefore: string | undefined
  /** No new connection is let through. */
  isDown = false

  private constructor(server: Server, target: URL) {
    this.#server = server
    this.#target = target
    server.on('connection', (socket) => this.#connected(socket))
  }

  static async to(url: string): Promise<Wire> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Wire(server, new URL(url))
  }

  get url(): string {
    const { port } = this.#server.address() as { port: number }
    const url = new URL(this.#target)
    url.host = `127.0.0.1:${port}`
    return url.href
  }

  /** Keeps back the answer to the next statement with this text in it. */
  hold(text: string): HeldAnswer {
    let given = () => {}
    const answered = new Promise<void>((resolve) => {
      given = resolve
    })
    const hold: Hold = { text, given, line: undefined }
    this.#hold = hold
    return { given: answered, deliver: () => hold.line?.deliver(), cut: () => hold.line?.cut() }
  }

  /** The next statement with this text in it never reaches the database: its connection is lost, and all where it is down. */
  cutBefore(text: string): void {
    this.#cutBefore = text
  }

  cutAll(): void {
    for (const line of this.#lines) line.cut()
  }

  async close(): Promise<void> {
    this.cutAll()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #connected(socket: Socket): void {
    if (this.isDown) return void socket.destroy()
    const line = new Line(socket, tcp(Number(this.#target.port || 5432), this.#target.hostname))
    this.#lines.add(line)
    line.onAsked = (text) => {
      if (this.#cutBefore !== undefined && text.includes(this.#cutBefore)) {
        this.#cutBefore = undefined
        if (this.isDown) this.cutAll()
        else line.cut()
      }
      const hold = this.#hold
      if (hold === undefined || !text.includes(hold.text)) return undefined
      this.#hold = undefined
      hold.line = line
      return hold.given
    }
    socket.on('close', () => this.#lines.delete(line))
  }
}

/** `Z`, five bytes long: the server has said all, and waits. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5])

class Line {
  readonly #client: Socket
  readonly #server: Socket
  readonly #kept: Buffer[] = []
  #given: (() => void) | undefined
  onAsked: (text: string) => (() => void) | undefined = () => undefined

  constructor(client: Socket, server: Socket) {
    this.#client = client
    this.#server = server
    for (const socket of [client, server]) {
      socket.setNoDelay(true)
      socket.on('error', () => {})
      socket.on('close', () => this.cut())
    }
    client.on('data', (data) => this.#ask(data))
    server.on('data', (data) => this.#answer(data))
  }

  deliver(): void {
    this.#given = undefined
    for (const data of this.#kept.splice(0)) this.#client.write(data)
  }

  cut(): void {
    this.#client.destroy()
    this.#server.destroy()
  }

  #ask(data: Buffer): void {
    this.#given ??= this.onAsked(data.toString('latin1'))
    if (!this.#server.destroyed) this.#server.write(data)
  }

  #answer(data: Buffer): void {
    if (this.#given === undefined) return void this.#client.write(data)
    this.#kept.push(data)
    if (data.subarray(-6, -1).equals(READY)) this.#given()
  }
}
