/** Select graphic rendition, erase in line, and the hyperlinks of OSC 8: what colouring formatters put into lines. */
const COLOUR =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /\u001b\[[\d;:]*[mK]|\u001b\]8;[^\u0007\u001b]*(?:\u0007|\u001b\\)/g

/** The text as it reads, without its colours. Other control characters are left: they are what was written. */
export function stripColour(text: string): string {
  return text.includes('\u001b') ? text.replace(COLOUR, '') : text
}
