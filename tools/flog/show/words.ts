/** `1,234 events`, `1 event`. */
export function count(number: number, singular: string, plural = `${singular}s`): string {
  return `${grouped(number)} ${number === 1 ? singular : plural}`
}

/** `1,234,567`. Not by the locale: loading that takes 30 ms, a third of what a small file takes in all. */
export function grouped(number: number): string {
  return String(number).replace(/\B(?=(?:\d{3})+$)/g, ',')
}

/** Rows as aligned columns, two spaces apart; the last column is not padded. */
export function columns(
  rows: readonly (readonly string[])[],
  alignRight: ReadonlySet<number> = new Set(),
): string[] {
  const widths: number[] = []
  for (const row of rows)
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length)
  return rows.map((row) =>
    row
      .map((cell, at) => {
        const width = widths[at] ?? 0
        if (alignRight.has(at)) return cell.padStart(width)
        return at === row.length - 1 ? cell : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd(),
  )
}
