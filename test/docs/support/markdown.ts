export interface CodeBlock {
  readonly language: string
  readonly code: string
  /** Line of the page where the code starts, from 1. */
  readonly line: number
}

/** The fenced blocks of a page that name a language; drawings name none. */
export function codeBlocks(page: string): readonly CodeBlock[] {
  return [...page.matchAll(/^```([a-z]+)\n([\s\S]*?)^```$/gm)].map((match) => ({
    language: match[1] ?? '',
    code: match[2] ?? '',
    line: page.slice(0, match.index).split('\n').length + 1,
  }))
}

/** Rows of the table whose head starts with `| first |`: cells without backquotes. */
export function tableRows(page: string, first: string): readonly (readonly string[])[] {
  const [, table = ''] = page.split(new RegExp(`^\\| ${first} \\|.*\\n\\|[ |-]+\\|\\n`, 'm'))
  const rows = /^(\|.*\|\n)*/.exec(table)?.[0] ?? ''
  return rows
    .trimEnd()
    .split('\n')
    .map((row) =>
      row
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll('`', '')),
    )
}
