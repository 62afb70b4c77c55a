import { MissingError } from './errors'
import type { Flag } from './flag'
import type { Manifold, PartRef, PartWorker, StartContext } from './part'

export interface Housing {
  /** The part runs only while all of them are true. */
  readonly flags?: readonly PartRef<Flag>[]
  /** The part runs only while the fortress is open, and the fortress is locked only when the part has ended. */
  readonly occupy?: PartRef<{ visit(signal: AbortSignal): Promise<() => void> }>
  /** Comes after the part's own. */
  readonly filter?: (error: unknown) => unknown
}

/** A part with conditions of a house: the part itself need not know them. */
export function housed<T>(manifold: Manifold<T>, housing: Housing): Manifold<T> {
  const { flags = [], occupy } = housing
  const inputs = [...(manifold.inputs ?? []), ...flags, ...(occupy === undefined ? [] : [occupy])]
  return {
    ...manifold,
    inputs,
    start: (context) => {
      checkFlags(flags, context)
      return occupy === undefined ? manifold.start(context) : startInside(manifold, occupy, context)
    },
    filter: (error) => {
      const filtered = manifold.filter === undefined ? error : manifold.filter(error)
      if (filtered === undefined || housing.filter === undefined) return filtered
      return housing.filter(filtered)
    },
  }
}

function checkFlags(flags: readonly PartRef<Flag>[], context: StartContext): void {
  for (const flag of flags) {
    if (!context.get(flag).value)
      throw new MissingError(`flag "${flag.name}" is false: dependency not available`)
  }
}

async function startInside<T>(
  manifold: Manifold<T>,
  occupy: NonNullable<Housing['occupy']>,
  context: StartContext,
): Promise<PartWorker<T>> {
  const leave = await context.get(occupy).visit(context.signal)
  try {
    const worker = await manifold.start(context)
    Promise.resolve(endOf(worker)).then(leave, leave)
    return worker
  } catch (error) {
    leave()
    throw error
  }
}

/** At once for what is no worker, or throws: the engine finds that out, and says so. */
function endOf(worker: Partial<PartWorker<unknown>> | undefined): unknown {
  try {
    return worker?.wait?.()
  } catch {
    return undefined
  }
}
