import { timingSafeEqual } from 'node:crypto'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { Clock } from '../base/clock'
import { FlogError, messageOf } from '../base/errors'
import { fingerprintOf } from './certificate'
import { addressOf, type Logport } from './logport'
import type { MessageSocket } from './message-socket'
import { openWebSocket } from './websocket'

export interface DialOptions {
  readonly clock: Clock
  readonly maxMessageBytes: number
  /** For all of it: connecting, TLS, upgrade. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** Whether the open socket keeps the process alive. */
  readonly keepAlive: boolean
}

/**
 * Connects to a logport. With TLS the peer's public key is compared before anything is sent to it: no
 * request, and no header, goes to an impostor. The session is always a new one, because a resumed one would
 * skip the proof of that key.
 * @throws FlogError FLOG_REMOTE_UNREACHABLE, FLOG_REMOTE_UNTRUSTED, FLOG_ABORTED
 */
export async function dial(logport: Logport, options: DialOptions): Promise<MessageSocket> {
  const socket = startConnecting(logport)
  const give = (error: FlogError) => (): void => void socket.destroy(error)
  const late = new FlogError('FLOG_REMOTE_UNREACHABLE', `${addressOf(logport)} did not answer in time`)
  const timer = options.clock.after(options.timeoutMs, give(late))
  const onAbort = give(aborted())
  options.signal.addEventListener('abort', onAbort, { once: true })
  try {
    if (options.signal.aborted) throw aborted()
    await connected(socket, logport)
    if (!options.keepAlive) socket.unref()
    return await openWebSocket(socket, hostHeader(logport), options)
  } catch (error) {
    socket.destroy()
    throw FlogError.is(error) ? error : unreachable(logport, error)
  } finally {
    timer.cancel()
    options.signal.removeEventListener('abort', onAbort)
  }
}

function startConnecting({ host, port, fingerprint }: Logport): Socket {
  if (fingerprint === undefined) return connectTcp({ host, port, noDelay: true })
  const socket = connectTls({
    host,
    port,
    minVersion: 'TLSv1.3',
    // No authority vouches for the certificate: its public key is compared instead
    rejectUnauthorized: false,
    ...(isIP(host) === 0 && { servername: host }),
  })
  return socket.setNoDelay(true)
}

function connected(socket: Socket, { fingerprint }: Logport): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the connection was closed')))
    if (fingerprint === undefined) return socket.once('connect', resolve)
    return socket.once('secureConnect', () => {
      if (hasKey(socket as TLSSocket, fingerprint)) return resolve()
      const message =
        'the other side has another key than this logport names: it is old, or somebody is in between'
      socket.destroy()
      return reject(new FlogError('FLOG_REMOTE_UNTRUSTED', message))
    })
  })
}

function hasKey(socket: TLSSocket, fingerprint: string): boolean {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined || socket.isSessionReused()) return false
  const [theirs, expected] = [Buffer.from(fingerprintOf(certificate.raw)), Buffer.from(fingerprint)]
  return theirs.length === expected.length && timingSafeEqual(theirs, expected)
}

function hostHeader({ host, port }: Logport): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function aborted(): FlogError {
  return new FlogError('FLOG_ABORTED', 'connecting was cancelled')
}

function unreachable(logport: Logport, error: unknown): FlogError {
  const message = `nothing answers at ${addressOf(logport)}: ${messageOf(error)}; is the process running?`
  return new FlogError('FLOG_REMOTE_UNREACHABLE', message, { cause: error })
}
