import { FlogError } from '../base/errors'

/** First line of every flogfile since Foolscap 0.13. */
export const MAGIC = '# foolscap flogfile v1\n'
/** Bytes that have to be seen before a file can be told. */
export const MAGIC_BYTES = MAGIC.length
/** Fewer could be the start of any comment. */
const CUT_MAGIC_CHARS = 10
/** The digits of pi, and of its square root. */
const BLOCK_MARK = '1AY&SY'
const END_MARK = '\x17rE8P\x90'
/** Protocols 2 to 5. */
const PICKLES = ['\x80\x02', '\x80\x03', '\x80\x04', '\x80\x05']

/**
 * Whether {@link readFoolscap} should be asked to read a file: a flogfile, also one cut in its first line, bzip2, and what
 * Foolscap's users take for a flogfile (an old pickle, a FURL), which it refuses with the reason.
 * @param firstBytes at least {@link MAGIC_BYTES}, fewer only where the file ends
 */
export function isFoolscap(firstBytes: Uint8Array): boolean {
  const start = latin1(firstBytes)
  return isCutMagic(start) || isBzip2(firstBytes) || isPickle(start) || isFurl(start)
}

/** bzip2's own mark and that of its first block; or, in an empty file, of its end. */
export function isBzip2(bytes: Uint8Array): boolean {
  const start = latin1(bytes.subarray(0, 10))
  const mark = start.slice(4)
  return (
    /^BZh[1-9]/.test(start) && (mark === BLOCK_MARK || mark === END_MARK || mark.length < BLOCK_MARK.length)
  )
}

/**
 * Says why the plain bytes of a file are no flogfile.
 * @param isPacked they were inside of a bzip2 file
 * @returns undefined where they are one, or could be if the file were not cut there
 */
export function refusal(firstBytes: Uint8Array, isPacked: boolean): FlogError | undefined {
  const start = latin1(firstBytes)
  if (isCutMagic(start)) return undefined
  if (isPickle(start)) {
    const message =
      'an old Foolscap log, written before version 0.13: it is a Python pickle, which can run any code when it is loaded, ' +
      'so it is not; flogtool of Foolscap 0.12.7 reads it'
    return new FlogError('FLOG_FOOLSCAP_PICKLE', message)
  }
  if (isFurl(start)) {
    const message =
      'not a log but a FURL, the address of a Foolscap process; flogtool tail connects to those, flog does not'
    return new FlogError('FLOG_FILE_NOT_INCIDENT', message)
  }
  const packed = isPacked ? 'bzip2 of something else than a Foolscap log' : 'not a Foolscap log'
  const message = firstBytes.length === 0 ? `${packed}: it is empty` : packed
  return new FlogError('FLOG_FILE_NOT_INCIDENT', message)
}

function isCutMagic(start: string): boolean {
  return start.startsWith(MAGIC) || (start.length >= CUT_MAGIC_CHARS && MAGIC.startsWith(start))
}

/** Protocol 0, which Foolscap used, begins with a dictionary; later ones say their number. */
function isPickle(start: string): boolean {
  return start.startsWith('(dp0') || PICKLES.some((mark) => start.startsWith(mark))
}

function isFurl(start: string): boolean {
  return start.startsWith('pb://')
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, MAGIC_BYTES))
}
