import type { Verb } from './verb'
import { dump } from './verbs/dump'

/** In the order of the help: the ones people meet first come first. */
export const verbs: readonly Verb<never>[] = [dump]
