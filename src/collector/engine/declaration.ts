import { invalidOption } from '../../base/errors'
import { checkTimeout } from './config'
import { inputsOf } from './graph'
import type { Manifold, PartRef } from './part'

/**
 * What a manifold said when it was installed, read once: of one that changes later, or throws when it is looked at again, the
 * engine would otherwise know something else than it acted on.
 */
export interface Declaration extends Pick<Manifold, 'start' | 'filter'> {
  /** Each once; an input that is hard and soft is hard. */
  readonly hard: readonly string[]
  /** Each once, hard before soft. */
  readonly inputs: readonly string[]
  /** The same. */
  readonly declared: ReadonlySet<string>
  readonly timeouts: Pick<Manifold, 'startTimeoutMs' | 'stopTimeoutMs'>
}

/** @throws FLOG_OPTION_INVALID, and what the manifold throws when it is read */
export function declarationOf(name: string, manifold: Manifold): Declaration {
  if (typeof name !== 'string' || name === '') throw invalidOption('name', 'the name of a part', name)
  const { start, filter, inputs, soft, startTimeoutMs, stopTimeoutMs } = manifold ?? {}
  if (typeof start !== 'function') throw invalidOption(`${name}.start`, 'a function', start)
  if (filter !== undefined && typeof filter !== 'function') {
    throw invalidOption(`${name}.filter`, 'a function', filter)
  }
  checkTimeout(`${name}.startTimeoutMs`, startTimeoutMs)
  checkTimeout(`${name}.stopTimeoutMs`, stopTimeoutMs)
  const read = { inputs: refs(`${name}.inputs`, inputs), soft: refs(`${name}.soft`, soft) }
  const all = inputsOf(read)
  return {
    ...all,
    declared: new Set(all.inputs),
    start: start.bind(manifold),
    ...(filter === undefined ? {} : { filter: filter.bind(manifold) }),
    timeouts: {
      ...(startTimeoutMs === undefined ? {} : { startTimeoutMs }),
      ...(stopTimeoutMs === undefined ? {} : { stopTimeoutMs }),
    },
  }
}

function refs(option: string, given: unknown): readonly PartRef[] {
  if (given === undefined) return []
  const names: readonly unknown[] = Array.isArray(given)
    ? given.map((ref: PartRef | null) => ref?.name)
    : ['']
  return names.map((name) => {
    if (typeof name !== 'string' || name === '')
      throw invalidOption(option, 'a list of references to parts', given)
    return { name }
  })
}
