import { randomHex, systemRandom } from '../base/random'
import { ControlBlock } from '../ring/control'

/** Something that must leave its files whole when the process ends. */
export interface ExitAware {
  /** Called synchronously from the `exit` event; nothing asynchronous runs afterwards. */
  onExit(): void
}

/** What all recorders of a process share, also those of a second copy of this package in it. */
export interface ProcessState {
  /** 16 hexadecimal digits, random per process start. */
  readonly incarnation: string
  readonly control: ControlBlock
  readonly exiting: Set<ExitAware>
  /** Listens to the process's `exit`; here, so that several copies of this package add and remove the same one. */
  readonly tellAll: () => void
}

const KEY = Symbol.for('flight-log.process.1')

/** The process's state; made when it is first asked for. In a worker thread it is that thread's, unless it joined. */
export function processState(): ProcessState {
  const holder = globalThis as { [KEY]?: ProcessState }
  holder[KEY] ??= newState(randomHex(systemRandom, 8), new ControlBlock())
  return holder[KEY]
}

/**
 * Makes incarnation and order of the process's main thread those of this one.
 * @returns false where this thread has numbered events of its own already
 */
export function joinProcess(incarnation: string, control: SharedArrayBuffer): boolean {
  const holder = globalThis as { [KEY]?: ProcessState }
  holder[KEY] ??= newState(incarnation, new ControlBlock(control))
  return holder[KEY].incarnation === incarnation
}

/**
 * Sees to it that `recorder` is told when the process ends. An `exit` listener changes nothing about how a process ends.
 * @returns a function that takes it back
 */
export function onProcessExit(recorder: ExitAware): () => void {
  const { exiting, tellAll } = processState()
  if (exiting.size === 0) process.on('exit', tellAll)
  exiting.add(recorder)
  return () => {
    exiting.delete(recorder)
    if (exiting.size === 0) process.off('exit', tellAll)
  }
}

function newState(incarnation: string, control: ControlBlock): ProcessState {
  const exiting = new Set<ExitAware>()
  return {
    ...{ incarnation, control, exiting },
    tellAll: () => {
      for (const recorder of exiting) tell(recorder)
    },
  }
}

function tell(recorder: ExitAware): void {
  try {
    recorder.onExit()
  } catch {
    // The process ends in any case, and the next one matters as much.
  }
}
