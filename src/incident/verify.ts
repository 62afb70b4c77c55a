import { createHash } from 'node:crypto'
import { FlogError } from '../base/errors'
import type { Verdict } from './damage'
import type { IncidentHeader, IncidentTrailer } from './header'
import type { IncidentPart } from './parser'
import { type ReadOptions, readIncidentFile } from './reader'

export interface Verification {
  readonly verdict: Verdict
  readonly header?: IncidentHeader
  readonly trailer?: IncidentTrailer
  /** Of the plain bytes, in hexadecimal: equal for a plain file and its compressed copy. Absent where some are lost. */
  readonly sha256?: string
}

export interface VerifyOptions extends ReadOptions {
  /** Sees every part on the way. */
  readonly onPart?: (part: IncidentPart) => void
}

/**
 * Reads a whole incident file and says what it is worth. With `events: 'count'` events are counted and not decoded, which
 * suffices to compare a copy with its original.
 * @throws FlogError like `readIncidentFile`
 */
export async function verifyIncidentFile(path: string, options: VerifyOptions = {}): Promise<Verification> {
  const hash = createHash('sha256')
  const found: { header?: IncidentHeader; trailer?: IncidentTrailer } = {}
  const onPlain = (bytes: Uint8Array) => {
    hash.update(bytes)
    options.onPlain?.(bytes)
  }
  for await (const part of readIncidentFile(path, { ...options, onPlain })) {
    options.onPart?.(part)
    if (part.kind === 'header') found.header = part.header
    else if (part.kind === 'trailer') found.trailer = part.trailer
    else if (part.kind === 'verdict') {
      const isComplete = part.verdict.damage.every(({ layer }) => layer === 'plain')
      return { verdict: part.verdict, ...found, ...(isComplete && { sha256: hash.digest('hex') }) }
    }
  }
  throw new FlogError('FLOG_FILE_CORRUPT', `reading ${path} ended without a verdict`)
}
