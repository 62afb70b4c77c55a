import { FlogError } from '../../base/errors'
import { type Installer, way } from './engine'
import { findCycle } from './graph'
import type { Manifold } from './part'

/** @throws FLOG_ENGINE_CYCLE where some of them go in a circle; inputs that are not among them are none of its business */
export function validate(manifolds: Readonly<Record<string, Manifold>>): void {
  const cycle = findCycle(manifolds)
  if (cycle === undefined) return
  throw new FlogError('FLOG_ENGINE_CYCLE', `the inputs of parts go in a circle, ${way(cycle)}`, {
    details: { cycle },
  })
}

/** Installs all of them, or none where they go in a circle. @throws as `install` does */
export function installAll(installer: Installer, manifolds: Readonly<Record<string, Manifold>>): void {
  validate(manifolds)
  for (const [name, manifold] of Object.entries(manifolds)) installer.install({ name }, manifold)
}
