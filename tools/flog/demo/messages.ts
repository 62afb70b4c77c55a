/** What the demo's service tells the process that started it. */
export type ServiceMessage =
  | { readonly kind: 'listening'; readonly port: number; readonly logportFile: string }
  /** `writtenMs`: how long the call took that logged the error, in which the history was written. */
  | { readonly kind: 'opened'; readonly id: string; readonly path: string; readonly writtenMs: number }
  | {
      readonly kind: 'closed'
      readonly id: string
      readonly path: string
      readonly events: number
      readonly bytes: number
    }

/** What it is told. `break`: from now on orders with a coupon leak a connection; `repair`: as it was. */
export type ServiceOrder = { readonly kind: 'break' } | { readonly kind: 'repair' } | { readonly kind: 'end' }
