import { isAbsolute, resolve } from 'node:path'
import { invalidOption } from '../base/errors'
import { HEALTH_MS, STALL_MIN_MS, STALL_MS } from '../base/limits'
import { checkNames } from '../base/names'
import { parseNumber } from '../base/numbers'

export interface SidecarOptions {
  /** Milliseconds without a turn of the event loop that make a stall, 200 to an hour; default 1000; 0 for no watch. */
  readonly stallMs?: number
  /** Milliseconds between two samples of the process's health, 100 to an hour; default 1000; 0 for none. */
  readonly healthMs?: number
  /** Where the black box is kept; default the incident directory. A tmpfs will do if it outlives the process. False for none. */
  readonly blackBox?: false | { readonly directory?: string }
}

export interface SidecarSettings {
  readonly stallMs: number
  readonly healthMs: number
  readonly blackBox: { readonly directory: string | undefined } | undefined
}

const HOUR_MS = 3_600_000

/** @throws FlogError FLOG_OPTION_INVALID naming the option */
export function parseSidecar(given: unknown): SidecarSettings | undefined {
  if (given === undefined || given === false) return undefined
  if (given !== true && (typeof given !== 'object' || given === null))
    throw invalidOption('sidecar', 'true, false or options', given)
  const options: SidecarOptions = given === true ? {} : given
  checkNames('sidecar', options, ['stallMs', 'healthMs', 'blackBox'])
  const { stallMs = STALL_MS, healthMs = HEALTH_MS, blackBox = {} } = options
  return {
    stallMs: zeroOr('sidecar.stallMs', stallMs, STALL_MIN_MS),
    healthMs: zeroOr('sidecar.healthMs', healthMs, 100),
    blackBox: blackBox === false ? undefined : { directory: directoryOf(blackBox) },
  }
}

function zeroOr(option: string, value: unknown, min: number): number {
  return value === 0 ? 0 : parseNumber(option, value as number, min, HOUR_MS, 'milliseconds')
}

function directoryOf(blackBox: unknown): string | undefined {
  if (typeof blackBox !== 'object' || blackBox === null)
    throw invalidOption('sidecar.blackBox', 'false, or an object', blackBox)
  checkNames('sidecar.blackBox', blackBox, ['directory'])
  const { directory } = blackBox as { readonly directory?: unknown }
  if (directory === undefined) return undefined
  if (typeof directory !== 'string' || directory === '' || directory.includes('\0'))
    throw invalidOption('sidecar.blackBox.directory', 'the path of a directory', directory)
  return isAbsolute(directory) ? directory : resolve(directory)
}
