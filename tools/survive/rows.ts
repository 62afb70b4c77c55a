import type { TriggerKind } from '../../src/event/event'
import { type Fate, fates } from './fates'
import type { Ending } from './plan'

/** One way to end, and what must be there afterwards. */
export interface Row {
  readonly name: string
  /** Whether an error began an incident before. */
  readonly trigger: boolean
  readonly ending: Ending
  /** What its parent does to it once it is ready. */
  readonly fate?: Fate
  readonly execArgv?: readonly string[]
  readonly options?: object
  /** How the process ends, with the recorder as without it. */
  readonly ends: number | NodeJS.Signals
  /** What began the one incident that is there afterwards; undefined where nothing may be left. */
  readonly leaves: TriggerKind | undefined
  /** Whether an incident that tells of the death may be there beside it. */
  readonly diedBeside?: true
  /** What was logged this long before the death has to be there, in ms; 0 for all of it. */
  readonly behindMs: number
  /** A part of the product that the row is about. */
  readonly needs?: Part
}

export type Part = 'sidecar' | 'process events'

/** Parts that are in place; a row that needs another one is not run, and said not to be. */
export const PARTS: ReadonlySet<Part> = new Set<Part>(['sidecar', 'process events'])

/** How far the black box may be behind. */
const BLACK_BOX_MS = 100

/** An incident is open, and the process does something that it can see to. */
const inWindow = { trigger: true, leaves: 'event', behindMs: 0 } as const
/** An incident is open, and the process just ends. */
const cutInWindow = { ...inWindow, diedBeside: true } as const
const clean = { trigger: false, leaves: undefined, behindMs: 0 } as const
const crashes = { trigger: false, leaves: 'crash', behindMs: 0, ends: 1, needs: 'process events' } as const
const dies = { trigger: false, leaves: 'died', behindMs: BLACK_BOX_MS, needs: 'sidecar' } as const
const signalled = {
  trigger: false,
  leaves: 'signal',
  behindMs: 0,
  ending: 'killed',
  needs: 'process events',
} as const

const SMALL_HEAP = ['--max-old-space-size=64'] as const

export const ROWS: readonly Row[] = [
  { ...inWindow, name: 'process.exit in the window', ending: 'exit', ends: 3 },
  { ...clean, name: 'process.exit', ending: 'exit', ends: 3 },
  { ...inWindow, name: 'normal end in the window', ending: 'end', ends: 0 },
  { ...clean, name: 'normal end', ending: 'end', ends: 0 },
  { ...inWindow, name: 'uncaught error in the window', ending: 'throw', ends: 1 },
  { ...crashes, name: 'uncaught error', ending: 'throw' },
  { ...inWindow, name: 'unhandled rejection in the window', ending: 'reject', ends: 1 },
  { ...crashes, name: 'unhandled rejection', ending: 'reject' },
  { ...crashes, name: 'uncaught error of a worker thread', ending: 'worker throws' },
  { ...crashes, name: 'stack overflow', ending: 'overflow' },
  { ...clean, name: 'stack overflow, caught', ending: 'caught overflow', ends: 0 },
  ...(['SIGTERM', 'SIGINT'] as const).flatMap((signal): readonly Row[] => [
    {
      ...cutInWindow,
      name: `${signal} in the window`,
      ending: 'killed',
      fate: fates.killed(signal),
      ends: signal,
    },
    {
      ...signalled,
      name: `${signal}, asked for`,
      options: { processEvents: { signals: [signal] } },
      fate: fates.killed(signal),
      ends: signal,
    },
    { ...dies, name: signal, ending: 'killed', fate: fates.killedLater(signal), ends: signal },
  ]),
  {
    ...cutInWindow,
    name: 'SIGKILL in the window',
    ending: 'killed',
    fate: fates.killed('SIGKILL'),
    ends: 'SIGKILL',
  },
  { ...dies, name: 'SIGKILL', ending: 'killed', fate: fates.killedLater('SIGKILL'), ends: 'SIGKILL' },
  {
    ...cutInWindow,
    name: 'heap out of memory in the window',
    ending: 'out of memory',
    execArgv: SMALL_HEAP,
    ends: 'SIGABRT',
  },
  { ...dies, name: 'heap out of memory', ending: 'out of memory', execArgv: SMALL_HEAP, ends: 'SIGABRT' },
  { ...cutInWindow, name: 'abort() in the window', ending: 'abort', ends: 'SIGABRT' },
  { ...dies, name: 'abort()', ending: 'abort', ends: 'SIGABRT' },
  {
    ...cutInWindow,
    name: 'segmentation fault in the window',
    ending: 'segmentation fault',
    ends: 'SIGSEGV',
  },
  { ...dies, name: 'segmentation fault', ending: 'segmentation fault', ends: 'SIGSEGV' },
  {
    name: 'endless loop, then SIGKILL',
    trigger: false,
    ending: 'stuck',
    fate: fates.stuck,
    ends: 'SIGKILL',
    leaves: 'stall',
    diedBeside: true,
    behindMs: 0,
    needs: 'sidecar',
  },
  { ...inWindow, name: 'disk full', ending: 'told', fate: fates.diskFull, ends: 0 },
  { ...inWindow, name: 'directory deleted', ending: 'told', fate: fates.directoryDeleted, ends: 0 },
]
