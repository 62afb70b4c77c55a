import { basename } from 'node:path'
import { FATAL, parseSeverity } from '../../../src/event/severity'
import type { Incident } from '../../../src/recorder/incident'
import { createRecorder, type Recorder } from '../../../src/recorder/recorder'
import { LineAssembler } from '../../../src/transports/lines/assembler'
import type { LineEvent, OutputStream } from '../../../src/transports/lines/event'
import { recordLine } from '../../../src/transports/lines/record'
import { UsageError } from '../failure'
import { drained } from '../output'
import { triggerText } from '../show/incident-text'
import { createStyle } from '../style'
import { escapeLine } from '../terminal'
import type { ExitCode, Surroundings } from '../verb'
import type { RecordOptions } from '../verbs/record'
import { exitEvent, lineQualifier } from './exit-event'
import { exitCodeOf, Program } from './program'

/**
 * Records what a program prints, or what comes on standard input. Incidents are finished files on disk when this returns.
 * @throws UsageError
 */
export async function recordOutput(
  args: readonly string[],
  options: RecordOptions,
  io: Surroundings,
): Promise<ExitCode> {
  const [command, ...rest] = args
  if (command === undefined && io.streams.stdin.isTTY) {
    throw new UsageError(
      'there is nothing to record',
      'name a command, or pipe its output in: node server.js 2>&1 | flog record',
    )
  }
  const recording = await Recording.start(command, options, io)
  try {
    if (command !== undefined) return await recordProgram(recording, command, rest, io)
    await recordInput(recording, io)
    return 0
  } finally {
    await recording.close()
  }
}

async function recordProgram(
  recording: Recording,
  command: string,
  args: readonly string[],
  io: Surroundings,
): Promise<ExitCode> {
  io.takeSignals()
  const program = new Program({
    command,
    args,
    stdinIsTTY: io.streams.stdin.isTTY === true,
    clock: io.clock,
    onOutput: (stream, chunk) => recording.take(stream, chunk),
  })
  io.onOutputClosed(() => {
    recording.stopEcho()
    program.closeOutput()
  })
  const end = await program.end()
  recording.finishLines()
  recording.recorder.record(exitEvent(end, command))
  await recording.close()
  if (end.kind === 'missing') throw end.problem
  return exitCodeOf(end)
}

async function recordInput(recording: Recording, io: Surroundings): Promise<void> {
  const { stdin } = io.streams
  // Whoever reads our output may stop; what is still to be recorded is recorded.
  io.onOutputClosed(() => recording.stopEcho())
  io.signal.addEventListener('abort', () => stdin.destroy(), { once: true })
  try {
    for await (const chunk of stdin) await recording.take('stdout', chunk as Buffer)
  } catch (error) {
    if (!io.signal.aborted) throw error
  }
  recording.finishLines()
}

const PLAIN = createStyle(false)

/** A recorder, the lines that go into it, and the echo of what it is given. */
class Recording {
  readonly recorder: Recorder
  readonly #options: RecordOptions
  readonly #io: Surroundings
  readonly #lines: Readonly<Record<OutputStream, LineAssembler>>
  #echo: boolean

  static async start(
    command: string | undefined,
    options: RecordOptions,
    io: Surroundings,
  ): Promise<Recording> {
    const recording = new Recording(command, options, io)
    if (options.publish === true) {
      const { url } = await recording.recorder.publish({ port: Number(options.port) })
      recording.#say(`logport ${url}`)
    }
    return recording
  }

  private constructor(command: string | undefined, options: RecordOptions, io: Surroundings) {
    this.#options = options
    this.#io = io
    this.#echo = options.quiet !== true
    this.recorder = createRecorder({
      directory: options.directory,
      service: options.service ?? (command === undefined ? 'flog record' : basename(command)),
      qualifier: lineQualifier(Math.min(FATAL, parseSeverity('--severity', options.severity)), options.exit),
      reporter: { postTrigger: definedWindow(options) },
      // It is about the program, which may have a recorder of its own.
      ...{ processEvents: false, inherit: false },
    })
    this.recorder.on('incident', (incident) => this.#sayIncident(incident))
    this.recorder.on('warning', (warning) => this.#say(warning.message))
    const emit = (event: LineEvent): void => recordLine(this.recorder, event)
    this.#lines = {
      stdout: new LineAssembler({ stream: 'stdout', clock: io.clock, emit }),
      stderr: new LineAssembler({ stream: 'stderr', clock: io.clock, emit }),
    }
  }

  /** Shows a chunk as it is, and records its lines. A promise: the reader of the echo is behind. */
  take(stream: OutputStream, chunk: Buffer): Promise<void> | undefined {
    const to = this.#io.streams[stream]
    const ready = this.#echo ? to.write(chunk) : true
    this.#lines[stream].push(chunk)
    return ready ? undefined : drained(to)
  }

  stopEcho(): void {
    this.#echo = false
  }

  finishLines(): void {
    this.#lines.stdout.end()
    this.#lines.stderr.end()
  }

  /** Ends an open incident and waits until all are finished. Idempotent. */
  close(): Promise<void> {
    return this.recorder.close()
  }

  #sayIncident({ phase, trigger, path }: Incident): void {
    if (phase === 'opened') this.#say(`incident begins: ${triggerText(trigger, PLAIN)}`)
    else if (path === undefined) this.#say(`an incident could not be written to ${this.#options.directory}`)
    else this.#say(`incident recorded; to read it: flog dump ${path}`)
  }

  #say(text: string): void {
    if (this.#options.quiet !== true) this.#io.talk(this.#io.talkStyle.dim(`flog: ${escapeLine(text)}`))
  }
}

function definedWindow({ postEvents, postMs }: RecordOptions): { events?: number; ms?: number } {
  return {
    ...(postEvents !== undefined && { events: postEvents }),
    ...(postMs !== undefined && { ms: postMs }),
  }
}
