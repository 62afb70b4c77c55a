import type { Clock } from '../base/clock'
import { FlogError, type FlogErrorCode } from '../base/errors'
import type { Authenticated, Handshake } from './handshake'
import type { MessageSocket, SocketEnd } from './message-socket'
import { CLOSE } from './protocol'

/**
 * Runs a handshake over a socket. Afterwards nobody reads the socket: what comes waits for the session.
 * @param timeoutMs for the whole handshake
 * @param signal gives up
 * @throws FlogError FLOG_REMOTE_UNTRUSTED, _REFUSED, _VERSION, _PROTOCOL, _UNREACHABLE, FLOG_ABORTED; the socket
 * is closed then
 */
export function authenticate(
  socket: MessageSocket,
  handshake: Handshake,
  clock: Clock,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Authenticated> {
  return new Promise((resolve, reject) => {
    const settled = (): void => {
      timer.cancel()
      signal?.removeEventListener('abort', onAbort)
    }
    const fail = (error: FlogError, code: number): void => {
      settled()
      socket.read(undefined)
      socket.close(code, error.message)
      reject(error)
    }
    const timer = clock.after(timeoutMs, () => fail(tooSlow(), CLOSE.tooSlow))
    const onAbort = (): void => {
      fail(new FlogError('FLOG_ABORTED', 'connecting was cancelled'), CLOSE.normal)
      // Whoever did not answer so far is not waited for
      socket.terminate()
    }
    const onMessage = (bytes: Uint8Array): void => {
      const step = handshake.receive(bytes)
      for (const message of step.send) socket.send(message)
      if (step.done === undefined) return
      settled()
      socket.read(undefined)
      resolve(step.done)
    }
    socket.read({
      message: (bytes) => {
        try {
          onMessage(bytes)
        } catch (error) {
          fail(asFlogError(error), closeCodeOf(error))
        }
      },
      closed: (end) => fail(endError(end), CLOSE.normal),
    })
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted === true) onAbort()
    else for (const message of handshake.start()) socket.send(message)
  })
}

/** What the end of a connection means to the side that did not want it. */
export function endError({ code, reason }: SocketEnd): FlogError {
  const said = reason === '' ? '' : `: ${reason}`
  return new FlogError(
    END_CODES.get(code) ?? 'FLOG_REMOTE_LOST',
    `the connection was closed by the other side${said}`,
    {
      details: { closeCode: code },
    },
  )
}

const END_CODES: ReadonlyMap<number, FlogErrorCode> = new Map([
  [CLOSE.malformed, 'FLOG_REMOTE_PROTOCOL'],
  [CLOSE.tooLarge, 'FLOG_REMOTE_PROTOCOL'],
  [CLOSE.unauthenticated, 'FLOG_REMOTE_REFUSED'],
  [CLOSE.version, 'FLOG_REMOTE_VERSION'],
  [CLOSE.busy, 'FLOG_REMOTE_BUSY'],
] as const)

function closeCodeOf(error: unknown): number {
  if (FlogError.is(error, 'FLOG_REMOTE_VERSION')) return CLOSE.version
  if (FlogError.is(error, 'FLOG_REMOTE_PROTOCOL')) return CLOSE.malformed
  return CLOSE.unauthenticated
}

function asFlogError(error: unknown): FlogError {
  return FlogError.is(error)
    ? error
    : new FlogError('FLOG_REMOTE_PROTOCOL', 'the handshake failed', { cause: error })
}

function tooSlow(): FlogError {
  return new FlogError('FLOG_REMOTE_UNREACHABLE', 'the other side did not prove itself in time')
}
