import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { TYPESCRIPT } from '../typescript'

const PROGRAMS = join(__dirname, '../../fixtures/programs')

export type Program = ChildProcessByStdio<Writable, Readable, null>

/** Starts one of `fixtures/programs`. Its standard input stays open: closed with us, it ends a program left behind. */
export function startProgram(name: string, ...args: string[]): Program {
  const command = [...TYPESCRIPT, join(PROGRAMS, `${name}.ts`), ...args]
  return spawn(process.execPath, command, { stdio: ['pipe', 'pipe', 'inherit'] })
}

/** What a program prints, one JSON value a line, until it ends. */
export async function* lines<T>(program: Program): AsyncGenerator<T, void, void> {
  for await (const line of createInterface(program.stdout)) yield JSON.parse(line) as T
}

/** All that a program prints until it ends. */
export async function allLines<T>(program: Program): Promise<T[]> {
  const all: T[] = []
  for await (const line of lines<T>(program)) all.push(line)
  return all
}

/** The first line that a program prints. */
export async function firstLine<T>(program: Program): Promise<T> {
  const { value } = await lines<T>(program).next()
  if (value === undefined) throw new Error('the program printed nothing')
  return value
}

/** Kills a program outright and waits until it is gone. */
export async function kill(program: ChildProcess): Promise<void> {
  if (program.exitCode !== null || program.signalCode !== null) return
  const gone = once(program, 'exit')
  program.kill('SIGKILL')
  await gone
}
