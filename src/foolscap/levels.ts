import { foolscapSeverity } from '../event/severity'

/** The eight that have a name in Foolscap; the ones people use. */
const NAMED = new Map([
  [10, 'NOISY'],
  [20, 'OPERATIONAL'],
  [23, 'UNUSUAL'],
  [25, 'INFREQUENT'],
  [28, 'CURIOUS'],
  [30, 'WEIRD'],
  [35, 'SCARY'],
  [40, 'BAD'],
])

/** Above this Foolscap declares an incident, unless told otherwise. */
export const WEIRD = 30
const HIGHEST = 60

/**
 * Level of Foolscap for a severity: one with a name where there is one, else the lowest whole number that means this severity.
 * flogtool's page links to levels by their whole part, and answers with an error where there is another.
 */
export function levelOf(severity: number): number {
  return LEVELS.get(severity) ?? 20
}

const LEVELS = new Map<number, number>()
for (const level of [...NAMED.keys(), ...Array(HIGHEST).keys()]) {
  const severity = foolscapSeverity(level)
  if (!LEVELS.has(severity)) LEVELS.set(severity, level)
}

/** `30 (WEIRD)` */
export function levelText(level: number): string {
  const name = NAMED.get(level)
  return name === undefined ? String(level) : `${level} (${name})`
}
