/** Four flat fields, made anew for each call as programs do. */
export function fields(i: number): object {
  return { reqId: `req-${i & 1023}`, userId: i, path: '/api/v1/orders', ms: 12.5 }
}
