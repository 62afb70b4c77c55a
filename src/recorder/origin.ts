import { hostname } from 'node:os'
import { basename } from 'node:path'
import { currentIdentity } from '../base/identity'
import type { ProcessIdentity } from '../base/process-identity'
import { REDACTED } from '../base/secret-names'
import { VERSION } from '../base/version'
import type { Redactor } from '../event/redact'

/** Where events come from: what every header of a recorder says, and a publisher tells who connects. */
export interface Origin {
  readonly incarnation: string
  readonly service: string
  readonly version: string
  /** Which of the service's processes it is, where there are several: `cluster worker 2`, `child of 4711`. */
  readonly label?: string
  readonly host: string
  readonly pid: number
  readonly process: ProcessIdentity
  readonly versions: Readonly<Record<string, string>>
  readonly argv: readonly string[]
}

export interface OriginOptions {
  readonly service: string | undefined
  readonly version: string | undefined
  readonly versions: Readonly<Record<string, string>> | undefined
  readonly label: string | undefined
}

export function originOf(incarnation: string, options: OriginOptions, redactor: Redactor): Origin {
  return {
    incarnation,
    service: options.service ?? programName(),
    version: options.version ?? '',
    ...(options.label !== undefined && { label: options.label }),
    host: hostname(),
    pid: process.pid,
    process: currentIdentity(),
    versions: { node: process.versions.node, flog: VERSION, ...options.versions },
    argv: redactedArguments(process.argv.slice(1), redactor),
  }
}

/** Arguments without secrets: the value of `--password=x` or `--password x`, and what the patterns match. */
export function redactedArguments(argv: readonly string[], redactor: Redactor): readonly string[] {
  return argv.map((argument, i) => {
    const before = /^--?([\w.-]+)$/.exec(argv[i - 1] ?? '')?.[1]
    if (before !== undefined && !argument.startsWith('-') && redactor.takesName(before)) return REDACTED
    const [, dashes, name] = /^(--?)([\w.-]+)=/.exec(argument) ?? []
    if (name !== undefined && redactor.takesName(name)) return `${dashes}${name}=${REDACTED}`
    return redactor.text(argument)
  })
}

function programName(): string {
  const script = process.argv[1]
  return script === undefined ? 'node' : basename(script).replace(/\.[cm]?[jt]s$/, '')
}
