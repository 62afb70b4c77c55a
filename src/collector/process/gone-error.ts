/** Thrown by a cleanup whose object is not there any more: as good as cleaned. */
export class GoneError extends Error {
  constructor(message = 'what was to be cleaned is gone', options?: ErrorOptions) {
    super(message, options)
    this.name = 'GoneError'
  }
}
