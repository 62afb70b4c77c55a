import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const VERSIONS = '/usr/lib/postgresql'
/** PostgreSQL refuses to be run by root: then it is nobody. */
const NOBODY = 65534
const RUN_BY = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}

/** Where the programs of PostgreSQL are; undefined on a machine that has none. */
export function postgresPrograms(): string | undefined {
  if (!existsSync(VERSIONS)) return undefined
  return readdirSync(VERSIONS)
    .map((version) => join(VERSIONS, version, 'bin'))
    .filter((path) => existsSync(join(path, 'initdb')))
    .sort()
    .at(-1)
}

/** A describe for tests that stop and start servers; skipped, visibly, where there is none. In CI it fails instead. */
export function withOwnPostgres(name: string, tests: () => void): void {
  if (postgresPrograms() !== undefined || process.env['CI'] === 'true') describe(name, tests)
  else describe(name, () => test.skip('PostgreSQL is not installed here', () => {}))
}

/** A PostgreSQL of a test's own, on a free port of the loopback, that can be stopped, started again and frozen. */
export class PostgresServer {
  readonly #directory = mkdtempSync(join(tmpdir(), 'flog-postgres-'))
  readonly #programs = postgresPrograms() ?? 'no PostgreSQL is installed:'
  #server: ChildProcess | undefined
  #port = 0

  /** Makes a database directory and starts it. */
  static async start(): Promise<PostgresServer> {
    const server = new PostgresServer()
    server.#make()
    server.#port = await freePort()
    await server.start()
    return server
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.#port}/postgres`
  }

  /** On the same port, with what it held. */
  async start(...settings: readonly string[]): Promise<void> {
    const options = [
      `listen_addresses=127.0.0.1`,
      `unix_socket_directories=${this.#directory}`,
      'fsync=off',
      ...settings,
    ]
    const args = ['-D', this.#data, '-p', String(this.#port), ...options.flatMap((option) => ['-c', option])]
    this.#server = spawn(join(this.#programs, 'postgres'), args, { stdio: 'ignore', ...RUN_BY })
    await answering(this.#port)
  }

  /** As its machine would be that loses power. */
  async kill(): Promise<void> {
    await this.#end('SIGQUIT')
  }

  /** It is there, takes connections, and does nothing. */
  freeze(): void {
    this.#signalAll('SIGSTOP')
  }

  thaw(): void {
    this.#signalAll('SIGCONT')
  }

  async remove(): Promise<void> {
    this.thaw()
    await this.#end('SIGQUIT')
    rmSync(this.#directory, { recursive: true, force: true })
  }

  /** A file that the server can read, for its settings. @returns its path */
  file(name: string, text: string): string {
    const path = join(this.#directory, name)
    writeFileSync(path, text, { mode: 0o600 })
    if ('uid' in RUN_BY) chownSync(path, NOBODY, NOBODY)
    return path
  }

  get #data(): string {
    return join(this.#directory, 'data')
  }

  #make(): void {
    if ('uid' in RUN_BY) chownSync(this.#directory, NOBODY, NOBODY)
    const args = [
      '-D',
      this.#data,
      '-U',
      'postgres',
      '-A',
      'trust',
      '-E',
      'UTF8',
      '--no-sync',
      '--no-instructions',
    ]
    const { status, stderr } = spawnSync(join(this.#programs, 'initdb'), args, {
      encoding: 'utf8',
      ...RUN_BY,
    })
    if (status !== 0) throw new Error(`initdb: ${stderr}`)
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return
    const gone = once(server, 'exit')
    server.kill(signal)
    await gone
  }

  /** The server and the process of each connection, which are its children. */
  #signalAll(signal: NodeJS.Signals): void {
    const pid = this.#server?.pid
    if (pid === undefined) return
    const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
    for (const one of [pid, ...stdout.split('\n').filter(Boolean).map(Number)]) {
      try {
        process.kill(one, signal)
      } catch {
        // It has ended meanwhile.
      }
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Asks until it takes connections: the first bytes of a server that is still starting say that it is. */
async function answering(port: number): Promise<void> {
  for (let asked = 0; asked < 600; asked++) {
    if (await takesConnections(port)) return
    await sleep(20)
  }
  throw new Error('PostgreSQL did not start')
}

/** It answers a request for TLS with one letter as soon as it can be spoken to; then it is asked for a connection. */
async function takesConnections(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    const text = Buffer.from('user\0postgres\0database\0postgres\0\0')
    const head = Buffer.alloc(8)
    head.writeInt32BE(text.length + 8, 0)
    head.writeInt32BE(196608, 4)
    socket.write(Buffer.concat([head, text]))
    const [answer] = (await once(socket, 'data')) as [Buffer]
    return answer[0] === 'R'.charCodeAt(0)
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
