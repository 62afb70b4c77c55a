/** Colour, decided in one place: `--color` over `NO_COLOR` over `FORCE_COLOR` over whether the stream is a terminal. */

export type ColorChoice = 'always' | 'never' | 'auto'

export interface ColorSituation {
  readonly choice: ColorChoice
  readonly env: Readonly<Record<string, string | undefined>>
  readonly isTTY: boolean
}

/** Whether to colour. `CI` is not looked at: a build's log is a file. */
export function wantsColor({ choice, env, isTTY }: ColorSituation): boolean {
  if (choice !== 'auto') return choice === 'always'
  if (env['NO_COLOR']) return false
  const force = env['FORCE_COLOR']
  if (force !== undefined) return force !== '0' && force !== 'false'
  return isTTY && env['TERM'] !== 'dumb'
}

type Paint = (text: string) => string

export interface Style {
  readonly enabled: boolean
  readonly bold: Paint
  readonly dim: Paint
  readonly good: Paint
  readonly bad: Paint
  readonly key: Paint
  /** What began an incident. */
  readonly alarm: Paint
  /** A text in the colour of a severity, 1–24. */
  severity(severity: number, text: string): string
}

/** Escape codes by severity band: trace, debug, info, warn, error, fatal. */
const BAND_CODES = ['90', '36', '32', '33', '31', '1;31'] as const

export function createStyle(enabled: boolean): Style {
  const paint =
    (code: string): Paint =>
    (text) =>
      enabled && text !== '' ? `\x1b[${code}m${text}\x1b[0m` : text
  const bands = BAND_CODES.map(paint)
  return {
    enabled,
    bold: paint('1'),
    dim: paint('2'),
    good: paint('32'),
    bad: paint('31'),
    key: paint('36'),
    alarm: paint('1;31'),
    severity: (severity, text) => (bands[Math.min(5, Math.max(0, (severity - 1) >> 2))] as Paint)(text),
  }
}
