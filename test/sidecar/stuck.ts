import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { bundle } from '../recorder/bundle'

/** One line that `fixtures/programs/stuck.ts` wrote; `at` is on one clock for both threads, in milliseconds. */
export interface Note {
  readonly what: 'watching' | 'stuck' | 'free' | 'stall' | 'stack' | 'end'
  readonly at: number
  readonly ms?: number
  readonly pausedMs?: number
  readonly stack?: string
}

export interface Outcome {
  readonly code: number | null
  readonly signal: string | null
  readonly out: string
  readonly talk: string
}

/** Programs that get stuck while a second thread watches them, and what was seen. */
export class StuckPrograms {
  readonly #root = mkdtempSync(join(tmpdir(), 'flog-stuck-'))
  readonly program = bundle('stuck', this.#root)
  readonly #children = new Set<ChildProcess>()
  #runs = 0

  /** @param during is given the child, from its first output on */
  async run(
    way: string,
    mode: 'watched' | 'bare',
    [stallMs, stuckMs]: readonly [number, number] = [300, 900],
    during?: (child: ChildProcess) => Promise<void>,
  ): Promise<{ readonly outcome: Outcome; readonly notes: readonly Note[] }> {
    const file = join(this.#root, `notes-${this.#runs++}`)
    writeFileSync(file, '')
    const child = spawn(process.execPath, [this.program, file, way, mode, `${stallMs}`, `${stuckMs}`])
    this.#children.add(child)
    const results = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    if (during !== undefined) {
      await once(child.stdout, 'data')
      await during(child)
    }
    const [out, talk, [code, signal]] = await results
    this.#children.delete(child)
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
    return { outcome: { code, signal, out, talk }, notes: lines.map((line) => JSON.parse(line) as Note) }
  }

  end(): void {
    for (const child of this.#children) child.kill('SIGKILL')
    rmSync(this.#root, { recursive: true, force: true })
  }
}

export function notesOf(notes: readonly Note[], what: Note['what']): readonly Note[] {
  return notes.filter((note) => note.what === what)
}
