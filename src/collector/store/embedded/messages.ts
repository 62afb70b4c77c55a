/** What the thread of the embedded database is started with. */
export interface ThreadData {
  /** Undefined: in memory. */
  readonly directory: string | undefined
}

/**
 * To the thread. The bytes are PostgreSQL's protocol, so that nothing has to be translated twice; a session is what a connection
 * is elsewhere. There is one at a time: the next one's messages come after `end` of the one before.
 */
export type ToThread =
  | { readonly kind: 'data'; readonly session: number; readonly bytes: Uint8Array }
  /** What the session began is rolled back, what it set is reset; answered by `ended`. */
  | { readonly kind: 'end'; readonly session: number }
  | { readonly kind: 'close' }

export type FromThread =
  | { readonly kind: 'ready' }
  | { readonly kind: 'data'; readonly session: number; readonly bytes: Uint8Array }
  | { readonly kind: 'ended'; readonly session: number }
  | { readonly kind: 'closed' }
  | { readonly kind: 'failed'; readonly message: string }
