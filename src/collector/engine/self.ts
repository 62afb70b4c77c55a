import type { Engine } from './engine'
import type { Manifold } from './part'
import { valueWorker } from './workers'

/** What parts may do with the engine that they run in. */
export type EngineHandle = Pick<Engine, 'install' | 'uninstall' | 'replace' | 'report' | 'dot' | 'events'>

/**
 * The engine as a part of itself, for parts that install others. It is a part like any other: that it stops does not stop the
 * engine, and the engine's report does not go round in it.
 */
export function selfManifold(engine: Engine): Manifold<EngineHandle> {
  const handle: EngineHandle = {
    install: (part, manifold) => engine.install(part, manifold),
    uninstall: (name) => engine.uninstall(name),
    replace: (part, manifold) => engine.replace(part, manifold),
    report: () => engine.report(),
    dot: () => engine.dot(),
    get events() {
      return engine.events
    },
  }
  return { start: () => valueWorker(handle) }
}
