import fc from 'fast-check'
import type { EngineReport, PartReport } from '../../../src/collector/engine/report'
import { settle } from './rig'
import { type Deciding, type EndKind, type StartMode, World } from './world'

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f']
const STEPS = 10_000

/** Steps know what the engine has to answer; what has to hold whatever happened is looked at after each. */
class Step implements fc.AsyncCommand<object, World> {
  readonly #text: string
  readonly #run: (world: World) => unknown

  constructor(text: string, run: (world: World) => unknown) {
    this.#text = text
    this.#run = run
  }

  check(): boolean {
    return true
  }

  async run(_: object, world: World): Promise<void> {
    await this.#run(world)
    await settle()
    invariants(world)
    steps++
  }

  toString(): string {
    return this.#text
  }
}

let steps = 0

function invariants(world: World): void {
  const report = world.rig.engine.report()
  const parts = Object.entries(report.manifolds)
  for (const [name, puppet] of world.puppets) {
    const state = report.manifolds[name]?.state
    const accepted = puppet.accepted - puppet.gone
    demand(puppet.live <= 1, `${name} has ${puppet.live} workers`)
    demand(accepted === 0 || accepted === 1, `${name} has ${accepted} starts without an end`)
    if (state === 'started') demand(puppet.live === 1 && accepted === 1, `${name} runs without a worker`)
    if (state === 'stopped' || state === undefined) demand(accepted === 0, `${name} stopped without an end`)
  }
  if (report.state === 'started') for (const [name, part] of parts) inputsAreThere(world, report, name, part)
  if (report.state === 'stopping')
    demand(
      parts.some(([, part]) => isLive(part)),
      'nothing is waited for',
    )
  demand(world.taken.length === 0, `told to stop: ${world.taken}`)
  demand(world.answered === (report.state === 'stopped'), `${report.state}, answered: ${world.answered}`)
}

/** `expect` would take most of the time. */
function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}

function isLive({ state }: PartReport): boolean {
  return state !== 'stopped' && state !== 'abandoned'
}

/** A part that runs has the workers that its inputs have now. */
function inputsAreThere(world: World, { manifolds }: EngineReport, name: string, part: PartReport): void {
  if (part.state !== 'started') return
  const { given } = world.puppet(name)
  for (const input of [...part.inputs, ...part.soft]) {
    const state = manifolds[input]?.state
    const current = given[input] === world.puppet(input).worker
    if (state === 'started') demand(current, `${name} runs with a former ${input}`)
    if (!part.inputs.includes(input)) continue
    demand(state === 'started' || state === 'stopping', `${name} runs, ${input} is ${state}`)
  }
}

/** When all behave, what can run does. */
function settled(world: World): void {
  const { manifolds } = world.rig.engine.report()
  for (const [name, part] of Object.entries(manifolds)) {
    const missing = part.inputs.some((input) => manifolds[input]?.state !== 'started')
    const expected = missing || part.killed || world.puppet(name).rests ? 'stopped' : 'started'
    expect([name, part.state]).toEqual([name, expected])
  }
}

function change(world: World, name: string, inputs: string[], soft: string[], replace: boolean): void {
  const manifold = world.manifold(name, inputs, soft)
  const expected = world.refusal(name, manifold, replace)
  let refusal: unknown
  try {
    if (replace) world.rig.engine.replace({ name }, manifold)
    else world.rig.engine.install({ name }, manifold)
    world.installed.set(name, manifold)
  } catch (error) {
    refusal = (error as { code: string }).code
  }
  // One that is about to be removed takes no new version either.
  if (!(replace && refusal === 'FLOG_ENGINE_UNKNOWN')) expect([name, refusal]).toEqual([name, expected])
}

const name = fc.constantFrom(...NAMES)
const names = fc.uniqueArray(name, { maxLength: 3 })
const step = <T extends unknown[]>(text: string, run: (world: World, ...given: T) => unknown) => {
  return (...given: T) =>
    new Step(`${text}(${JSON.stringify(given).slice(1, -1)})`, (world) => run(world, ...given))
}

const install = fc
  .tuple(name, names, fc.uniqueArray(name, { maxLength: 1 }))
  .map((given) =>
    step('install', (world, part: string, inputs: string[], soft: string[]) =>
      change(world, part, inputs, soft, false),
    )(...given),
  )
const replace = fc
  .tuple(name, names)
  .map((given) =>
    step('replace', (world, part: string, inputs: string[]) => change(world, part, inputs, [], true))(
      ...given,
    ),
  )
const uninstall = name.map((given) =>
  step('uninstall', (world, part: string) => void world.rig.engine.uninstall(part).catch(() => {}))(given),
)
const end = fc
  .tuple(
    name,
    fc.constantFrom<EndKind>('completes', 'fails', 'fails', 'fails', 'bounces', 'misses', 'uninstalls'),
  )
  .map((given) => step('end', (world, part: string, kind: EndKind) => world.end(part, kind))(...given))
const mode = fc
  .tuple(
    name,
    fc.constantFrom<StartMode>('at once', 'at once', 'slowly', 'until aborted', 'deaf', 'throws', 'misses'),
  )
  .map((given) =>
    step('start', (world, part: string, how: StartMode) => {
      world.puppet(part).mode = how
    })(...given),
  )
const obey = fc.tuple(name, fc.boolean()).map((given) =>
  step('obey', (world, part: string, obeys: boolean) => {
    world.puppet(part).obeys = obeys
  })(...given),
)
const decide = fc
  .constantFrom<Deciding>('restart', 'restart', 'retry', 'continue', 'kill', 'throws', 'late', 'never')
  .map((given) =>
    step('decide', (world, how: Deciding) => {
      world.deciding = how
    })(given),
  )
const pass = fc
  .constantFrom(1, 5, 10, 60, 300, 500, 1500)
  .map((ms) => step('pass', (world, time: number) => world.rig.pass(time))(ms))
const heal = fc.constant(
  step('heal', async (world) => {
    world.heal()
    await world.rig.pass(1000)
  })(),
)
const die = fc.nat({ max: 12 }).map((n) =>
  step('die', (world, dice: number) => {
    if (dice === 0) world.rig.engine.kill()
    else if (dice === 1) return world.end('a', 'is fatal')
    return undefined
  })(n),
)

const commands = fc.commands(
  [install, install, install, end, end, mode, obey, decide, pass, pass, pass, uninstall, replace, heal, die],
  { maxCommands: 120, size: 'max' },
)

/** All behave again: what can run runs, then all ends, and nothing is left. */
async function finish(world: World): Promise<void> {
  for (let i = 0; i < 5; i++) {
    world.heal()
    await world.rig.pass(1500)
  }
  invariants(world)
  if (world.rig.engine.report().state === 'started') settled(world)
  world.rig.engine.kill()
  await world.rig.pass(10)
  expect(world.answered).toBe(true)
  expect([...world.puppets.values()].map(({ live }) => live).filter((live) => live > 0)).toEqual([])
  await world.rig.pass(2000)
  expect(world.rig.clock.pending).toBe(0)
}

test('43. ten thousand random steps never make two workers of a part, an end without an end, or a part with old inputs', async () => {
  while (steps < STEPS) {
    await fc.assert(
      fc.asyncProperty(commands, async (some) => {
        const world = new World()
        await fc.asyncModelRun(() => ({ model: {}, real: world }), some)
        await finish(world)
      }),
      { numRuns: 10 },
    )
  }
}, 60_000)
