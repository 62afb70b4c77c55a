import { FORMAT_MAJOR, FORMAT_MINOR } from './header'
import { SYNC_BYTES } from './layout'

/** Length of the magic line, its newline included, in every version 1 file (FORMAT.md, "Magic line"). */
export const MAGIC_BYTES = 96
const START = 'FLOG incident '
const LINE = /^FLOG incident (\d{1,5})\.(\d{1,5}) sync=([0-9a-f]{32}) /

export interface FormatVersion {
  readonly major: number
  readonly minor: number
}

export interface MagicLine {
  readonly version: FormatVersion
  readonly sync: Uint8Array
}

/** First line of a file of `version` whose blocks start with `sync`. */
export function magicLine(sync: Uint8Array, version: FormatVersion = WRITTEN): Uint8Array {
  const hex = Array.from(sync, (byte) => byte.toString(16).padStart(2, '0')).join('')
  const text = `${START}${version.major}.${version.minor} sync=${hex} read: npx -p flight-log flog dump FILE`
  return new TextEncoder().encode(`${text.padEnd(MAGIC_BYTES - 1).slice(0, MAGIC_BYTES - 1)}\n`)
}

const WRITTEN: FormatVersion = { major: FORMAT_MAJOR, minor: FORMAT_MINOR }

/** What the first bytes of a file say, or undefined where they are no whole magic line. */
export function parseMagicLine(bytes: Uint8Array): MagicLine | undefined {
  if (bytes.length < MAGIC_BYTES) return undefined
  const match = LINE.exec(latin1(bytes.subarray(0, MAGIC_BYTES)))
  if (match?.[3] === undefined) return undefined
  const sync = new Uint8Array(SYNC_BYTES)
  for (let i = 0; i < SYNC_BYTES; i++) sync[i] = Number.parseInt(match[3].slice(2 * i, 2 * i + 2), 16)
  return { version: { major: Number(match[1]), minor: Number(match[2]) }, sync }
}

/**
 * True where a line says exactly what the version that it names would have written. Of versions that came later only the
 * part up to the sync marker is known; the rest of their line is not looked at.
 */
export function isMagicLineIntact(bytes: Uint8Array, line: MagicLine): boolean {
  if (line.version.major > FORMAT_MAJOR || line.version.minor > FORMAT_MINOR) return true
  const expected = magicLine(line.sync, line.version)
  return expected.every((byte, i) => bytes[i] === byte)
}

/** True for the start of an incident file, cut anywhere; false where there is not even one byte. */
export function startsLikeMagicLine(bytes: Uint8Array): boolean {
  const length = Math.min(bytes.length, START.length)
  return length > 0 && latin1(bytes.subarray(0, length)) === START.slice(0, length)
}

/** `1.0`, or undefined where the text is no version. */
export function parseVersion(text: string): FormatVersion | undefined {
  const match = /^(\d{1,5})\.(\d{1,5})$/.exec(text)
  return match === null ? undefined : { major: Number(match[1]), minor: Number(match[2]) }
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
