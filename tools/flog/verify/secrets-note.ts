import type { SecretFinding } from '../../../src/query/secrets'
import { grouped } from '../show/words'
import type { Style } from '../style'
import { escapeLine } from '../terminal'

/** Lines about values that look like secrets, and what to do about them. Never the values themselves; none where there are none. */
export function secretsNote(
  path: string,
  findings: readonly SecretFinding[],
  style: Style,
): readonly string[] {
  if (findings.length === 0) return []
  const kinds = findings.map(
    ({ count, what, where }) => `${grouped(count)} ${what} (first in ${placeText(where)})`,
  )
  return [
    `  ${style.bold('note')}: looks like secrets: ${kinds.join(', ')}`,
    `        to take them out: flog scrub --default ${shellWord(escapeLine(path))}`,
  ]
}

function placeText(where: SecretFinding['where']): string {
  return typeof where === 'string' ? `the ${where}` : `event ${where.seq}`
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
