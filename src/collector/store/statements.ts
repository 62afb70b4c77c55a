/** A text, a comment, what ends a statement, or anything else. */
const TOKENS = /'(?:[^']|'')*'|--[^\n]*|;|[^';-]+|[-']/g

/** The statements of a script, one by one, without its comments. Bodies of functions (`$$`) are not understood. */
export function statementsOf(script: string): readonly string[] {
  const statements = ['']
  for (const [token] of script.matchAll(TOKENS)) {
    if (token === ';') statements.push('')
    else if (!token.startsWith('--')) statements.push(`${statements.pop()}${token}`)
  }
  return statements.map((statement) => statement.trim()).filter((statement) => statement !== '')
}
