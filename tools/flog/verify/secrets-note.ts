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
  const width = Math.max(...findings.map((finding) => kindText(finding).length))
  return [
    `  ${style.bold('note')}: these look like secrets`,
    ...findings.map(
      (finding) => `        ${kindText(finding).padEnd(width)}  first in ${placeText(finding.where)}`,
    ),
    `        to take them out: flog scrub --default ${shellWord(escapeLine(path))}`,
  ]
}

function kindText({ count, what }: SecretFinding): string {
  return `${grouped(count)} ${what}`
}

function placeText(where: SecretFinding['where']): string {
  return typeof where === 'string' ? `the ${where}` : `event ${where.seq}`
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
