/**
 * Says what a file is that is no incident file, from its first bytes, as the end of a sentence.
 */
export function describeForeign(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'it is empty'
  const known = SIGNATURES.find(({ starts }) => startsWith(bytes, starts))
  if (known !== undefined) return known.says
  if (bytes.every((byte) => byte === 0))
    return 'it starts with zeros, so it was probably never written to the disk'
  if (!isText(bytes)) return 'it holds binary data of an unknown kind'
  return describeText(new TextDecoder().decode(bytes))
}

const SIGNATURES: readonly { readonly starts: string; readonly says: string }[] = [
  {
    starts: 'FLOG black box ',
    says: 'it is the black box of a process; once that is dead, `flog recover DIR` makes an incident of it',
  },
  { starts: '# foolscap flogfile', says: 'it is a log of Foolscap (flogfile v1); `flog import` reads those' },
  { starts: '\x1f\x8b', says: 'it is gzip of something else' },
  {
    starts: 'BZh',
    says: 'it is compressed with bzip2; an old Foolscap log perhaps, which `flog import` reads',
  },
  { starts: '\x28\xb5\x2f\xfd', says: 'it is compressed with zstd; unpack it first' },
  { starts: '\xfd7zXZ', says: 'it is compressed with xz; unpack it first' },
  { starts: 'PK\x03\x04', says: 'it is a zip archive; unpack it first' },
  { starts: 'SQLite format 3', says: 'it is an SQLite database' },
  { starts: '%PDF', says: 'it is a PDF document' },
  { starts: '\x7fELF', says: 'it is a program' },
]

function describeText(text: string): string {
  const line = text.trimStart()
  if (line.startsWith('{') || line.startsWith('['))
    return 'it looks like JSON; `flog record < FILE` reads JSON lines'
  if (line.startsWith('<')) return 'it looks like a page of HTML or XML, perhaps an answer saved in its stead'
  return 'it looks like plain text; `flog record < FILE` reads log lines'
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  if (bytes.length < text.length) return false
  for (let i = 0; i < text.length; i++) {
    if (bytes[i] !== text.charCodeAt(i)) return false
  }
  return true
}

function isText(bytes: Uint8Array): boolean {
  return bytes.every(
    (byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d || byte === 0x1b,
  )
}
