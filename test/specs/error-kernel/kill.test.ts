import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CentralLog } from '../../../src/collector/kernel/central-log'
import type { ErrorRow } from '../../../src/collector/kernel/event'
import { kill, lines, type Program, startProgram } from '../../incident/programs'
import { newDirectory, stopKernels } from './rig'

afterEach(stopKernels)

const NODE = 'one'
/** More by hand: `FLOG_KILLS=200`. */
const KILLS = Number(process.env['FLOG_KILLS'] ?? 6)

type Said = { readonly accepted: string } | { readonly number: number; readonly batch: readonly ErrorRow[] }

/** Kills a node again and again, and keeps what its central error log should know. */
class Trial {
  readonly #directory = newDirectory()
  readonly #log = join(this.#directory, 'errorLog')
  #central = new CentralLog({ directory: this.#log })
  /** How often each message was reported by a call that came back. */
  readonly accepted = new Map<string, number>()
  readonly #known = new Set<string>()

  /** One life of the node: killed `ms` milliseconds after its first report. The central log may refuse, or be a new one. */
  async live(seed: number, ms: number, refuses: boolean): Promise<void> {
    if (seed % 3 === 0) this.#central = new CentralLog({ directory: this.#log })
    const program = startProgram('error-storm', NODE, join(this.#directory, 'spool'), String(seed))
    let isBegun = false
    await this.#answer(program, () => {
      if (!isBegun) setTimeout(() => void kill(program), ms)
      isBegun = true
      return refuses
    })
  }

  /** The last life: until everything is known, or for `ms` milliseconds. */
  async end(ms: number): Promise<void> {
    const program = startProgram('error-storm', NODE, join(this.#directory, 'spool'), '0')
    const timer = setTimeout(() => void kill(program), ms)
    const endWhenKnown = (): boolean => {
      if (this.missing().length === 0) program.stdin.end()
      return false
    }
    endWhenKnown()
    await this.#answer(program, endWhenKnown)
    clearTimeout(timer)
  }

  missing(): readonly string[] {
    return [...this.accepted.keys()].filter((message) => !this.#known.has(message))
  }

  /** Of each message, the counts of its rows. */
  counts(): ReadonlyMap<string, readonly number[]> {
    const counts = new Map<string, readonly number[]>()
    for (const { message, repeat } of this.#rows())
      counts.set(message, [...(counts.get(message) ?? []), repeat])
    return counts
  }

  ids(): readonly string[] {
    return this.#rows().map(({ id }) => id)
  }

  #rows(): readonly ErrorRow[] {
    const text = readFileSync(join(this.#log, NODE, 'error.log'), 'utf8')
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as ErrorRow)
  }

  async #answer(program: Program, refuses: () => boolean): Promise<void> {
    program.stdin.on('error', () => {})
    for await (const said of lines<Said>(program)) {
      if ('accepted' in said) {
        this.accepted.set(said.accepted, (this.accepted.get(said.accepted) ?? 0) + 1)
        refuses()
        continue
      }
      const ids = await this.#central.accept(NODE, said.batch)
      for (const { message } of said.batch) this.#known.add(message)
      const answer = refuses() ? { number: said.number } : { number: said.number, ids }
      program.stdin.write(`${JSON.stringify(answer)}\n`)
    }
  }
}

test(
  'SIGKILL at any moment: the central log has every error whose report came back, and none of them twice',
  async () => {
    const trial = new Trial()
    for (let seed = 1; seed <= KILLS; seed++) await trial.live(seed, Math.random() ** 2 * 400, seed % 4 === 0)
    await trial.end(40_000)
    expect(trial.missing()).toEqual([])
    const ids = trial.ids()
    expect(new Set(ids).size).toBe(ids.length)
    const counts = trial.counts()
    expect([...trial.accepted.keys()].filter((message) => !counts.has(message))).toEqual([])
    const shares = [...trial.accepted].map(([message, times]) => {
      const known = (counts.get(message) ?? []).reduce((sum, count) => sum + count, 0)
      return { message, times, known }
    })
    // Of a count that was growing at the kill less than half may be missing; the report that did not come back may be there.
    expect(shares.filter(({ times, known }) => known <= times / 2 || known > times + 1)).toEqual([])
  },
  60_000 + KILLS * 5000,
)
