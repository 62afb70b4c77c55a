import { parseBytes } from '../../src/base/bytes'
import type { Clock } from '../../src/base/clock'
import type { Output } from './output'
import type { Style } from './style'

/** `0`: fine. `1`: it found or met a problem. `2`: it was called wrongly. Others: a signal, or the recorded program's own. */
export type ExitCode = number

/** What a verb runs in. Data goes to `out`; everything said about the data goes to `talk`. */
export interface Surroundings {
  readonly out: Output
  /** Colours for `out`, and for `talk`. */
  readonly style: Style
  readonly talkStyle: Style
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Aborted by SIGINT, SIGTERM or SIGHUP: finish quickly, leave nothing half-done. */
  readonly signal: AbortSignal
  /** Input and output are a terminal: somebody watches. */
  readonly interactive: boolean
  /** The process's own streams, for a verb that passes bytes on as they are. */
  readonly streams: StandardStreams
  /** Plain bytes of one file, at which reading it stops; the reader's own limit where nobody named another. */
  readonly maxFileBytes?: number
  talk(line: string): void
  /** Takes the signals over: they no longer abort `signal`. For the one verb that passes them on. */
  takeSignals(): void
  /** What to do when the reader of `out` goes away, instead of ending with exit code 0. */
  onOutputClosed(action: () => void): void
}

export interface StandardStreams {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
}

export interface Call<Options> {
  readonly args: readonly string[]
  readonly options: Options
  readonly io: Surroundings
}

export interface OptionSpec {
  /** As commander takes it: `-m, --message <why>`. */
  readonly flags: string
  readonly help: string
  readonly default?: string
  readonly choices?: readonly string[]
  /** Checks and converts; throws FLOG_OPTION_INVALID. */
  readonly parse?: (value: string) => unknown
}

export interface Example {
  readonly command: string
  readonly does: string
}

/** One command of `flog`. Its file holds what is needed to describe it; the work is loaded when it runs. */
export interface Verb<Options = unknown> {
  readonly name: string
  /** As commander takes them: `<file...>`, `[logport]`. */
  readonly args: string
  readonly summary: string
  readonly options: readonly OptionSpec[]
  readonly examples: readonly Example[]
  /** Paragraphs below the options: exit codes, environment, what to expect. */
  readonly notes?: string
  /** Options end at the first argument: the rest belongs to another program. */
  readonly passThrough?: boolean
  run(call: Call<Options>): Promise<ExitCode>
}

/** For verbs that read incident files: becomes `maxFileBytes` of what they run in. */
export const MAX_SIZE_OPTION: OptionSpec = {
  flags: '--max-size <size>',
  help: 'stop at a file that holds more than this, unpacked: 8GiB',
  parse: (value) => parseBytes('--max-size', value),
}

/** The limit as readers of `src` take it: nothing where nobody named one. */
export function readLimit({ maxFileBytes }: Surroundings): { readonly maxPlainBytes?: number } {
  return maxFileBytes === undefined ? {} : { maxPlainBytes: maxFileBytes }
}

export const JSON_OPTION: OptionSpec = { flags: '--json', help: 'print JSON, one object a line' }
