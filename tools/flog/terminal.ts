/**
 * Logged text on its way to a terminal. Whoever can get a text logged (a user name, a request path) must not be able to
 * move the cursor, recolour the screen, set the window's title, hide text or turn its reading direction.
 */

/**
 * C0 and C1 controls (ESC, CSI, OSC, CR, backspace …), DEL, soft hyphen and the other invisible or direction-changing
 * characters of Unicode, lone surrogates, and the tag characters of plane 14. Tab and line feed are looked at apart.
 */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Surrogate}/gu

/** One line of safe text: every control character is shown as an escape such as `\n` or `\x1b`. */
export function escapeLine(text: string): string {
  return text.replace(UNSAFE, escapeCharacter)
}

/** The lines of a text, each safe. A line feed, with or without a carriage return, ends a line; tabs become spaces. */
export function escapeLines(text: string): string[] {
  return text.split(/\r?\n/).map((line) => escapeLine(line.replaceAll('\t', '    ')))
}

/**
 * A value as JSON that is safe for a terminal too: `JSON.stringify` escapes the C0 controls and lone surrogates, and leaves the
 * others as they are.
 */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value)
  return BEYOND_C0.test(text) ? text.replace(UNSAFE, escapeUnits) : text
}

/** A safe text of at most `columns` characters, cut with an ellipsis. */
export function clip(text: string, columns: number): string {
  const safe = escapeLine(text)
  if (safe.length <= columns) return safe
  return columns <= 1 ? '…' : `${sliceWhole(safe, columns - 1)}…`
}

/** What {@link UNSAFE} has beside the C0 controls; surrogates may be the halves of a tag character. */
const BEYOND_C0 =
  /[\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufff9-\ufffb]/

/** As JSON has it, which knows only units of 16 bits. */
function escapeUnits(character: string): string {
  let text = ''
  for (let i = 0; i < character.length; i++)
    text += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`
  return text
}

/** Keeps a surrogate pair together. */
function sliceWhole(text: string, end: number): string {
  const last = text.charCodeAt(end - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? end - 1 : end)
}

const SHORT = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\b', '\\b'],
  ['\0', '\\0'],
])

function escapeCharacter(character: string): string {
  const short = SHORT.get(character)
  if (short !== undefined) return short
  const code = character.codePointAt(0) ?? 0
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`
}
