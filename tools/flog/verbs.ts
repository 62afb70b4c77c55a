import type { Verb } from './verb'
import { capture } from './verbs/capture'
import { demo } from './verbs/demo'
import { dump } from './verbs/dump'
import { fetch } from './verbs/fetch'
import { incidents } from './verbs/incidents'
import { record } from './verbs/record'
import { recover } from './verbs/recover'
import { serve } from './verbs/serve'
import { tail } from './verbs/tail'
import { verify } from './verbs/verify'

/** In the order of the help: the ones people meet first come first. */
export const verbs: readonly Verb<never>[] = [
  demo,
  record,
  tail,
  incidents,
  fetch,
  dump,
  capture,
  serve,
  verify,
  recover,
]
