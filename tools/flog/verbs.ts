import type { Verb } from './verb'

/** In the order of the help: the ones people meet first come first. */
const VERBS: Readonly<Record<string, () => Verb<never>>> = {
  demo: () => (require('./verbs/demo') as typeof import('./verbs/demo')).demo,
  record: () => (require('./verbs/record') as typeof import('./verbs/record')).record,
  tail: () => (require('./verbs/tail') as typeof import('./verbs/tail')).tail,
  incidents: () => (require('./verbs/incidents') as typeof import('./verbs/incidents')).incidents,
  fetch: () => (require('./verbs/fetch') as typeof import('./verbs/fetch')).fetch,
  dump: () => (require('./verbs/dump') as typeof import('./verbs/dump')).dump,
  view: () => (require('./verbs/view') as typeof import('./verbs/view')).view,
  import: () => (require('./verbs/import') as typeof import('./verbs/import')).importVerb,
  export: () => (require('./verbs/export') as typeof import('./verbs/export')).exportVerb,
  filter: () => (require('./verbs/filter') as typeof import('./verbs/filter')).filter,
  classify: () => (require('./verbs/classify') as typeof import('./verbs/classify')).classify,
  capture: () => (require('./verbs/capture') as typeof import('./verbs/capture')).capture,
  serve: () => (require('./verbs/serve') as typeof import('./verbs/serve')).serve,
  verify: () => (require('./verbs/verify') as typeof import('./verbs/verify')).verify,
  scrub: () => (require('./verbs/scrub') as typeof import('./verbs/scrub')).scrub,
  recover: () => (require('./verbs/recover') as typeof import('./verbs/recover')).recover,
}

/** All verbs, for the help and for who mistypes one. */
export function allVerbs(): readonly Verb<never>[] {
  return Object.values(VERBS).map((load) => load())
}

/** The verbs that a command line may need: the one that it begins with, or all. Loading them all takes some milliseconds. */
export function verbsFor([name = '']: readonly string[]): readonly Verb<never>[] {
  const load = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined
  return load === undefined ? allVerbs() : [load()]
}
