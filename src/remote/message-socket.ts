/**
 * An established connection that carries whole messages, whoever opened it and however it is secured.
 * Everything above this line is the same for a publisher that listens and one that dialled out.
 */
export interface MessageSocket {
  /** Exported keying material of the TLS connection; empty without TLS. */
  readonly keyingMaterial: Uint8Array
  /** Bytes that were sent and have not been taken by the operating system yet. */
  readonly bufferedBytes: number
  /** Does nothing once the socket is closing. */
  send(message: Uint8Array): void
  /** Says why, and ends; by force where the other side does not answer. Idempotent. */
  close(code: number, reason: string): void
  /** Ends now. */
  terminate(): void
  /** Whoever reads from now on. Messages that come while there is nobody wait. */
  read(reader: SocketReader | undefined): void
}

export interface SocketReader {
  message(bytes: Uint8Array): void
  /** Once; nothing comes after it. */
  closed(end: SocketEnd): void
  /** What was buffered has mostly gone out. */
  drained?(): void
}

export interface SocketEnd {
  readonly code: number
  readonly reason: string
}
