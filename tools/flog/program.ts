import { Command, CommanderError, Option } from 'commander'
import { FlogError } from '../../src/base/errors'
import { UsageError } from './failure'
import type { ColorChoice } from './style'
import type { Call, ExitCode, OptionSpec, Surroundings, Verb } from './verb'
import { verbsFor } from './verbs'

export interface ProgramHost {
  readonly version: string
  /** Made when a verb is about to run, with what `--color` said. */
  surroundings(color: ColorChoice): Surroundings
  writeOut(text: string): void
  writeErr(text: string): void
}

/**
 * Parses the command line and runs its verb.
 * @throws UsageError with commander's own message and suggestion
 */
export async function runProgram(argv: readonly string[], host: ProgramHost): Promise<ExitCode> {
  let exitCode: ExitCode = 0
  const program = createProgram(host)
  for (const verb of verbsFor(argv)) {
    program.addCommand(
      createCommand(verb, async (call) => {
        const io = host.surroundings(colorOf(program))
        const { maxSize } = call.options as { readonly maxSize?: number }
        exitCode = await verb.run({
          ...call,
          io: maxSize === undefined ? io : { ...io, maxFileBytes: maxSize },
        })
      }),
    )
  }
  inheritSettings(program, host)
  if (argv.length === 0) {
    host.writeOut(program.helpInformation())
    return 0
  }
  try {
    await program.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return 0
    throw new UsageError(cleanMessage(error.message), hintFor(program, argv))
  }
  return exitCode
}

function createProgram(host: ProgramHost): Command {
  return new Command('flog')
    .description(
      'a flight recorder for logs: records everything in memory, keeps it when something goes wrong',
    )
    .version(host.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addOption(new Option('--color <when>', 'colour the output').choices(['always', 'never', 'auto']))
    .enablePositionalOptions()
    .addHelpText('after', '\nStart with `flog demo`. Each command has examples: `flog help dump`.')
}

function colorOf(program: Command): ColorChoice {
  const { color } = program.opts<{ color?: ColorChoice }>()
  return color ?? 'auto'
}

/** Commander calls the action with the arguments, the options and the command; a verb wants the first two. */
function createCommand(
  verb: Verb<never>,
  run: (call: Pick<Call<never>, 'args' | 'options'>) => Promise<void>,
): Command {
  const command = new Command(verb.name).summary(verb.summary).description(capitalise(verb.summary))
  if (verb.args !== '') command.arguments(verb.args)
  for (const spec of verb.options) command.addOption(createOption(spec))
  command.addOption(
    new Option('--color <when>', 'colour the output').choices(['always', 'never', 'auto']).hideHelp(),
  )
  if (verb.passThrough === true) command.passThroughOptions()
  command.addHelpText('after', helpAfter(verb))
  return command.action(async () => {
    const options = command.opts()
    if (options['color'] !== undefined) command.parent?.setOptionValue('color', options['color'])
    await run({ args: command.args, options: options as never })
  })
}

function createOption(spec: OptionSpec): Option {
  const option = new Option(spec.flags, spec.help)
  if (spec.default !== undefined) option.default(spec.default)
  if (spec.choices !== undefined) option.choices(spec.choices)
  const { parse } = spec
  if (parse !== undefined) option.argParser((value) => asUsage(() => parse(value)))
  if (!option.variadic && !option.isBoolean()) option.argParser(once(option))
  return option
}

/** Of two, commander takes the second, and nobody would know what became of the first. */
function once(option: Option): (value: string, previous: unknown) => unknown {
  const { parseArg } = option
  let given = false
  return (value, previous) => {
    if (given) throw new UsageError(`--${option.name()} is given twice`, 'give it once')
    given = true
    return parseArg === undefined ? value : parseArg(value, previous)
  }
}

function asUsage<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw FlogError.is(error) ? new UsageError(error.message) : error
  }
}

/** Subcommands made apart inherit nothing by themselves. */
function inheritSettings(program: Command, host: ProgramHost): void {
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .showSuggestionAfterError(true)
      .configureOutput({ writeOut: host.writeOut, writeErr: () => undefined })
  }
}

function helpAfter(verb: Verb<never>): string {
  const width = Math.max(...verb.examples.map((example) => example.command.length))
  const lines = verb.examples.map((example) => `  ${example.command.padEnd(width)}   ${example.does}`)
  return `\nExamples:\n${lines.join('\n')}${verb.notes === undefined ? '' : `\n\n${verb.notes}`}`
}

/** Commander says `error: unknown command 'dmup'\n(Did you mean dump?)`. */
function cleanMessage(message: string): string {
  return message
    .replace(/^error: /, '')
    .replace(/\n\s*/g, ' ')
    .replace(/\.$/, '')
}

function hintFor(program: Command, argv: readonly string[]): string {
  const verb = program.commands.find((command) => argv.includes(command.name()))
  return verb === undefined ? 'see `flog --help`' : `see \`flog ${verb.name()} --help\``
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
