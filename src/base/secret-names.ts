/** Stands in the place of what was taken out. */
export const REDACTED = '[redacted]'

/** A key is taken out when its name equals or ends in one of these, in any case, with or without `-` and `_`. */
export const DEFAULT_REDACTED_NAMES = [
  'password',
  'passwd',
  'passphrase',
  'secret',
  'token',
  'apikey',
  'privatekey',
  'secretkey',
  'accesskey',
  'authorization',
  'cookie',
  'credential',
  'credentials',
  'cvv',
  'cardnumber',
] as const

/** A name as it is compared: in lower case, without `-`, `_` and spaces. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/[-_\s]/g, '')
}
