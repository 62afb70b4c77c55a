import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import type { Published } from '../../fixtures/programs/with-sidecar'
import { connect } from '../../src/remote/client'
import type { Parsed } from '../incident/parsing'
import { isBlackBox, MAIN, SidecarPrograms, stackIn } from './programs'

let programs: SidecarPrograms
beforeAll(() => {
  programs = new SidecarPrograms()
})
afterAll(() => programs.end())

const LONG_WINDOW = { reporter: { postTrigger: { events: 10_000, ms: 60_000 } } } as const
describe('a second thread that dies', () => {
  test('is told once and started again, with a new black box', async () => {
    const program = await programs.start()
    const [blackBox = ''] = program.files().filter(isBlackBox)
    await program.ask({ do: 'kill the second thread' })
    rmSync(join(program.directory, blackBox))
    await program.until(() => program.files().some(isBlackBox))
    await program.ask({ do: 'kill the second thread' })
    await program.ask({ do: 'log', severity: 'error', message: 'without the second thread' })
    expect(await program.finished(1)).toMatchObject([{ verdict: { state: 'whole' } }])
    expect((await program.state()).warnings).toEqual(['FLOG_SIDECAR_FAILED'])
    program.tell({ do: 'end' })
    expect(await program.ended).toEqual({ code: 0, signal: null, talk: '' })
    expect(program.files()).toEqual(program.incidents())
  })

  test('leaves its incident to the app, which finishes it, and holds up nobody else’s', async () => {
    const program = await programs.start(LONG_WINDOW)
    await program.ask({ do: 'loop', ms: 600 })
    await program.until(async () => (await program.state()).incidents.length === 1)
    await program.ask({ do: 'kill the second thread' })
    const [orphan] = await program.finished(1)
    expect(orphan).toMatchObject({
      header: { trigger: { kind: 'stall' } },
      trailer: { reason: 'adopted' },
      verdict: { state: 'whole' },
    })
    // The file is in place a moment before the listeners are told.
    await program.until(async () => (await program.state()).incidents.length === 2)
    expect((await program.state()).incidents).toMatchObject([{ phase: 'opened' }, { phase: 'closed' }])
    await program.ask({ do: 'log', severity: 'error', message: 'an incident of the app’s own' })
    await program.until(() => program.incidents().length === 2)
    const own = program.read(program.incidents()[1])
    expect(own.header?.trigger.kind).toBe('event')
    expect(own.header?.relatedTo).toBeUndefined()
  })
})

test('a second thread gets nothing of what the program preloads', async () => {
  const preloaded = join(programs.root, 'preloaded.js')
  const loads = join(programs.root, 'loads')
  writeFileSync(preloaded, `require('node:fs').appendFileSync(${JSON.stringify(loads)}, '.')`)
  const env = { ...process.env, NODE_OPTIONS: `--require ${preloaded}` }
  const program = programs.startWith({ recorders: [{}] }, MAIN, env)
  await program.until(() => program.files().some(isBlackBox))
  expect(readFileSync(loads, 'utf8')).toBe('.')
})

describe('a second thread that is not to be had', () => {
  test('is told once, and the recorder does all the rest itself', async () => {
    const bare = join(programs.root, 'bare')
    mkdirSync(bare)
    // A copy of the package without the program of the second thread, as a bundler leaves it
    cpSync(join(__dirname, '../../dist'), join(bare, 'dist'), { recursive: true })
    symlinkSync(join(__dirname, '../../node_modules'), join(bare, 'node_modules'))
    rmSync(join(bare, 'dist/src/sidecar/main.js'))
    const program = programs.startWith({ recorders: [{}] }, join(bare, 'dist/src/index.js'))
    await program.until(async () => (await program.state()).warnings.length > 0)
    await program.ask({ do: 'log', severity: 'error', message: 'it fails' })
    expect(await program.finished(1)).toMatchObject([{ verdict: { state: 'whole' } }])
    const { url } = (await program.ask({ do: 'publish' })) as Published
    const remote = await connect(url)
    expect((await remote.listIncidents()).incidents).toHaveLength(1)
    await remote.close()
    const { warnings, workers } = await program.state()
    expect([warnings, workers]).toEqual([['FLOG_SIDECAR_UNAVAILABLE'], 0])
    expect(await program.ask({ do: 'close' })).toBeLessThan(1000)
    expect(program.files().filter((name) => name !== '.flog')).toEqual(program.incidents())
  })

  test('in a bundle no other program is taken for its own: that may be the app itself', async () => {
    const directory = join(programs.root, 'bundled')
    const outfile = join(directory, 'sidecar', 'main.js')
    const contents = `
      import { createRecorder } from './src/index'
      const recorder = createRecorder({ directory: process.argv[2], sidecar: true })
      const staying = setInterval(() => {}, 1000)
      recorder.on('warning', ({ code }) => {
        console.log(code)
        clearInterval(staying)
      })
      console.log('started')`
    const stdin = { contents, resolveDir: join(__dirname, '../..') }
    buildSync({ stdin, outfile, bundle: true, platform: 'node', target: 'node20', logLevel: 'error' })
    const said = execFileSync(process.execPath, [outfile, join(directory, 'incidents')], {
      encoding: 'utf8',
      timeout: 10_000,
    })
    expect(said).toBe('started\nFLOG_SIDECAR_UNAVAILABLE\n')
  })
})

describe('a program that ends', () => {
  test.each([
    ['by itself', undefined, 0],
    ['by itself, and has work to do then', 'beforeExit work', 0],
    ['by exit(0)', 'exit 0', 0],
    ['by exit(3)', 'exit 3', 3],
  ] as const)('ends at once and in silence, and leaves nothing: %s', async (_, ending, code) => {
    // As soon as it has begun, with the second thread on its way, and later.
    for (const endMs of [0, 60, 600]) {
      const start = { recorders: [{}], endMs, ...(ending && { ending }) }
      const program = programs.startWith(start)
      expect(await program.ended).toEqual({ code, signal: null, talk: '' })
      expect(program.files()).toEqual([])
    }
  })

  test('closing leaves nothing either, and takes no time', async () => {
    const program = await programs.start()
    expect(await program.ask({ do: 'close' })).toBeLessThan(1000)
    expect(program.files()).toEqual([])
    expect(await program.state()).toMatchObject({ workers: 0, warnings: [] })
    program.tell({ do: 'end' })
    expect(await program.ended).toEqual({ code: 0, signal: null, talk: '' })
  })

  test('closing at once does not wait for the second thread to be of use', async () => {
    const program = programs.startWith({ recorders: [{}] })
    expect(await program.ask({ do: 'close' })).toBeLessThan(1500)
    expect(program.files()).toEqual([])
    expect((await program.state()).workers).toBe(0)
  })

  test('closing in the window of a stall finishes its incident', async () => {
    const program = await programs.start(LONG_WINDOW)
    await program.ask({ do: 'loop', ms: 600 })
    expect(await program.ask({ do: 'close' })).toBeLessThan(1500)
    expect(await program.finished(1)).toMatchObject([{ trailer: { reason: 'closed' } }])
    expect(program.files()).toEqual(program.incidents())
    expect((await program.state()).incidents.map(({ phase }) => phase)).toEqual(['opened', 'closed'])
  })

  test('what is awaited of the second thread keeps the program alive', async () => {
    const script = `
      const [, , main, directory] = process.argv
      const { createRecorder } = require(main)
      async function run() {
        const reporter = { postTrigger: { events: 0 } }
        const recorder = createRecorder({ directory, sidecar: true, reporter })
        const publisher = await recorder.publish()
        recorder.error('it fails')
        await recorder.flush()
        console.log('flushed')
        await publisher.close()
        await recorder.close()
        console.log('closed')
      }
      run()`
    const directory = join(programs.root, 'awaited')
    const file = join(programs.root, 'awaited.js')
    writeFileSync(file, script)
    const said = execFileSync(process.execPath, [file, MAIN, directory], { encoding: 'utf8' })
    expect(said).toBe('flushed\nclosed\n')
    expect(readdirSync(directory).filter((name) => name !== '.flog')).toEqual([
      expect.stringMatching(/\.gz$/),
    ])
  })
})

describe('flush()', () => {
  test('waits for incidents that the second thread wrote while the app was busy', async () => {
    // As large as they get, so that finishing takes its time; the window is over while the app is stuck.
    const script = `
      const [, , main, directory] = process.argv
      const { readdirSync, readFileSync } = require('node:fs')
      const { createRecorder } = require(main)
      const reporter = { postTrigger: { events: 0 }, cap: { ms: 50 } }
      const recorder = createRecorder({ directory, sidecar: { stallMs: 300 }, reporter })
      const incidents = new Set()
      recorder.on('incident', (incident) => incidents.add(incident))
      const file = () => readdirSync(directory).find((name) => /incident[.]flog/.test(name))
      function isOver() {
        const name = file()
        if (name === undefined || name.endsWith('.gz')) return name !== undefined
        return readFileSync(directory + '/' + name).subarray(-2000).includes('furtherTriggers')
      }
      async function run() {
        const publisher = await recorder.publish()
        for (let i = 0; i < 60_000; i++) recorder.info('an event of many', { i, text: String(i * Math.PI).repeat(10) })
        while (!isOver());
        await recorder.flush()
        console.log(file().replace(/.*incident/, ''), [...incidents].map(({ phase }) => phase).join())
        await recorder.close()
      }
      run()`
    const file = join(programs.root, 'flushed.js')
    writeFileSync(file, script)
    const directory = join(programs.root, 'flushed')
    mkdirSync(directory)
    const said = execFileSync(process.execPath, [file, MAIN, directory], { encoding: 'utf8' })
    expect(said).toBe('.flog.gz closed\n')
  })

  test('waits for what a second thread that died has left, and not for the next one', async () => {
    const program = await programs.start(LONG_WINDOW)
    await program.ask({ do: 'loop', ms: 1200 })
    await program.until(async () => (await program.state()).incidents.length === 1)
    await program.ask({ do: 'kill the second thread' })
    await program.ask({ do: 'flush' })
    expect(program.incidents()).toEqual([expect.stringMatching(/\.gz$/)])
    expect((await program.state()).incidents.map(({ phase }) => phase)).toEqual(['opened', 'closed'])
  })

  test('waits for no open window of its', async () => {
    const program = await programs.start(LONG_WINDOW)
    await program.ask({ do: 'loop', ms: 1200 })
    await program.until(() => program.incidents().length === 1)
    expect(await program.ask({ do: 'flush' })).toBeLessThan(1000)
    expect(program.incidents()).toEqual([expect.stringMatching(/\.flog$/)])
  })
})

describe('two recorders of one process', () => {
  test('share one second thread; one closes, and the other goes on', async () => {
    const program = programs.startWith({ recorders: [{}, {}] })
    await program.until(() => [0, 1].every((on) => program.files(on).some(isBlackBox)))
    expect((await program.state()).workers).toBe(1)
    expect(await program.ask({ do: 'close', on: 0 })).toBeLessThan(1000)
    expect(program.files(0)).toEqual([])
    await program.ask({ do: 'loop', ms: 600 })
    expect(await program.finished(1, 1)).toMatchObject([{ header: { trigger: { kind: 'stall' } } }])
    expect(program.files(0)).toEqual([])
    expect(await program.state()).toMatchObject({ workers: 1, warnings: [] })
    program.tell({ do: 'end' })
    expect(await program.ended).toEqual({ code: 0, signal: null, talk: '' })
    expect(program.files(1)).toEqual(program.incidents(1))
  })

  test('both see a stall', async () => {
    const program = programs.startWith({ recorders: [{}, {}] })
    await program.until(() => [0, 1].every((on) => program.files(on).some(isBlackBox)))
    await program.ask({ do: 'loop', ms: 2500 })
    for (const on of [0, 1]) {
      const [file] = await program.finished(1, on)
      expect(stackIn(file as Parsed)).toContain('at stuckInLoop (')
    }
  })
})
