import type { Verb } from './verb'
import { capture } from './verbs/capture'
import { classify } from './verbs/classify'
import { demo } from './verbs/demo'
import { dump } from './verbs/dump'
import { exportVerb } from './verbs/export'
import { fetch } from './verbs/fetch'
import { filter } from './verbs/filter'
import { importVerb } from './verbs/import'
import { incidents } from './verbs/incidents'
import { record } from './verbs/record'
import { recover } from './verbs/recover'
import { scrub } from './verbs/scrub'
import { serve } from './verbs/serve'
import { tail } from './verbs/tail'
import { verify } from './verbs/verify'
import { view } from './verbs/view'

/** In the order of the help: the ones people meet first come first. */
export const verbs: readonly Verb<never>[] = [
  demo,
  record,
  tail,
  incidents,
  fetch,
  dump,
  view,
  importVerb,
  exportVerb,
  filter,
  classify,
  capture,
  serve,
  verify,
  scrub,
  recover,
]
