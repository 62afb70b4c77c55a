import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SidecarPrograms } from './programs'

let programs: SidecarPrograms
beforeAll(() => {
  programs = new SidecarPrograms()
})
afterAll(() => programs.end())

const NO_WINDOW = { reporter: { postTrigger: { events: 0, ms: 0 } } } as const

describe('incidents of the app', () => {
  test('are finished in the second thread: the app loads no compressor', async () => {
    const program = await programs.start(NO_WINDOW)
    await program.ask({ do: 'publish' })
    await program.ask({ do: 'log', severity: 'error', message: 'it fails' })
    await program.ask({ do: 'flush' })
    const { incidents, modules } = await program.state()
    expect(incidents).toMatchObject([
      { phase: 'opened' },
      { phase: 'closed', path: expect.stringMatching(/\.gz$/) },
    ])
    expect(modules.filter((path) => /incident.(gzip|finish)\.js/.test(path))).toEqual([])
  })

  test('are kept within the quota by it', async () => {
    const program = await programs.start({ ...NO_WINDOW, retention: { maxIncidents: 2 } })
    await program.ask({ do: 'publish' })
    for (const message of ['first', 'second', 'third', 'fourth']) {
      await program.ask({ do: 'log', severity: 'error', message })
      await program.ask({ do: 'flush' })
    }
    const files = await program.finished(2)
    expect(files.map(({ header }) => header?.trigger.event.message)).toEqual(['third', 'fourth'])
  })

  test('wait for it no longer than for the disk', async () => {
    const program = await programs.start(NO_WINDOW)
    await program.ask({ do: 'log', severity: 'error', message: 'it fails' })
    expect(await program.ask({ do: 'flush' })).toBeLessThan(1000)
    expect(program.incidents()).toEqual([expect.stringMatching(/\.gz$/)])
  })
})

describe('an app whose event qualifies', () => {
  test('waits a moment for a thread that does not answer, and then writes a file that names the other', async () => {
    const program = await programs.start()
    await program.ask({ do: 'claim the desk', number: 77 })
    const ms = await program.ask({ do: 'log', severity: 'error', message: 'it fails' })
    expect(ms).toBeGreaterThanOrEqual(20)
    expect(ms).toBeLessThan(200)
    const [file] = await program.finished(1)
    const { id = '', relatedTo } = file?.header ?? {}
    expect(relatedTo).toBe(`${id.split('-')[0]}-77`)
    expect((await program.state()).warnings).toEqual([])
  })
})

describe('a disk that refuses both threads', () => {
  test('is told of once, and the program goes on', async () => {
    const file = join(programs.root, 'no directory')
    writeFileSync(file, '')
    const program = programs.startWith({ recorders: [{ directory: join(file, 'incidents') }] })
    await program.until(async () => (await program.state()).warnings.includes('FLOG_BLACK_BOX_REFUSED'))
    await program.ask({ do: 'log', severity: 'error', message: 'it fails' })
    await program.ask({ do: 'loop', ms: 1500 })
    await program.ask({ do: 'log', severity: 'error', message: 'it fails again' })
    expect(await program.ask({ do: 'close' })).toBeLessThan(3000)
    const { warnings } = await program.state()
    expect(warnings).toEqual([...new Set(warnings)])
    expect(warnings).not.toContain('FLOG_SIDECAR_FAILED')
    program.tell({ do: 'end' })
    expect(await program.ended).toEqual({ code: 0, signal: null, talk: '' })
  })
})
