import { spawnSync } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import type { LogEvent } from '../../src/event/event'
import type { Parsed } from '../incident/parsing'
import { messages } from '../recorder/rig'
import { type SidecarProgram, SidecarPrograms, stackIn } from './programs'

let programs: SidecarPrograms
beforeAll(() => {
  programs = new SidecarPrograms()
})
afterAll(() => programs.end())

function triggerOf({ header }: Parsed): LogEvent | undefined {
  return header?.trigger.event
}

/** Long enough for a stall to be seen, if there were one. */
async function turnsAgain(program: SidecarProgram): Promise<void> {
  await program.state()
  await pause(400)
}

describe('an event loop that does not turn', () => {
  test('has its incident on the disk while it is stuck, with the stack, and later how long it was', async () => {
    const program = await programs.start({ sidecar: { stallMs: 300, healthMs: 100 } })
    await program.ask({ do: 'log', severity: 'info', message: 'before' })
    await pause(350)
    let isFree = false
    const loop = program.ask({ do: 'loop', ms: 3000 }).then(() => {
      isFree = true
    })
    await program.until(() => program.incidents().length > 0)
    await program.until(() => stackIn(program.read()).includes('at stuckInLoop ('))
    const open = program.read()
    expect(isFree).toBe(false)
    expect(open.header?.trigger.kind).toBe('stall')
    expect(triggerOf(open)).toMatchObject({ facility: 'process.stall', severity: 17 })
    expect(triggerOf(open)?.fields['ms']).toBeGreaterThanOrEqual(300)
    expect(messages(open)).toEqual(expect.arrayContaining(['before', 'in the loop']))
    const health = open.events.filter(({ facility }) => facility === 'process.health')
    expect(health.length).toBeGreaterThan(1)

    await loop
    const [whole] = await program.finished(1)
    expect(whole?.verdict).toMatchObject({ state: 'whole', damage: [] })
    expect(messages(whole as Parsed)).toContain('end of the loop')
    const stall = (whole?.trailer?.extra as { stall?: { ms: number; ongoing: boolean } })?.stall
    expect(stall).toMatchObject({ ongoing: false })
    expect(stall?.ms).toBeGreaterThan(2800)
    expect(stall?.ms).toBeLessThan(4500)
    await program.until(async () => (await program.state()).incidents.length === 2)
    const { incidents, warnings } = await program.state()
    expect(incidents.map(({ phase, kind }) => [phase, kind])).toEqual([
      ['opened', 'stall'],
      ['closed', 'stall'],
    ])
    expect(incidents[1]?.path).toMatch(/\.gz$/)
    expect(warnings).toEqual([])
  })

  test('in a native call has no stack', async () => {
    const program = await programs.start()
    await program.ask({ do: 'native call', ms: 1000 })
    const [file] = await program.finished(1)
    expect(triggerOf(file as Parsed)?.fields).toMatchObject({ stack: 'unavailable' })
  })

  test('begins no second incident within the cool-down', async () => {
    const program = await programs.start({ limits: { coolDownMs: 60_000 } })
    await program.ask({ do: 'loop', ms: 500 })
    await program.finished(1)
    await program.ask({ do: 'loop', ms: 500 })
    await turnsAgain(program)
    expect(program.incidents()).toHaveLength(1)
  })

  test('while the app has an incident open has a file of its own, which names the other', async () => {
    const program = await programs.start({ reporter: { postTrigger: { events: 10_000, ms: 1500 } } })
    await program.ask({ do: 'log', severity: 'error', message: 'the app fails' })
    await program.ask({ do: 'loop', ms: 600 })
    const files = await program.finished(2)
    const [app, stall] = ['event', 'stall'].map((kind) => {
      return files.find(({ header }) => header?.trigger.kind === kind)
    })
    expect(stall?.header?.relatedTo).toBe(app?.header?.id)
    expect(app?.header?.relatedTo).toBeUndefined()
  })

  test.each([
    ['errors in the loop', 'end of the loop'],
    ['errors in the window', 'after the loop'],
  ])('takes %s into its file as further triggers', async (_, message) => {
    const program = await programs.start({ reporter: { postTrigger: { events: 10_000, ms: 5000 } } })
    const inLoop = message === 'end of the loop'
    await program.ask({ do: 'loop', ms: 1500, severity: inLoop ? 'error' : 'info' })
    for (let i = 0; i < 5 && !inLoop; i++) await program.ask({ do: 'log', severity: 'error', message })
    const [stall, ...others] = (await program.closed()) as [Parsed, ...Parsed[]]
    expect(stall.header?.trigger.kind).toBe('stall')
    const further = stall.trailer?.furtherTriggers ?? []
    expect(further.length).toBeGreaterThan(0)
    for (const { seq, kind } of further) {
      expect(kind).toBe('event')
      expect(stall.events.find((event) => event.seq === seq)).toMatchObject({ message })
    }
    // On a machine that is busy with other things the second thread may be too late for one.
    for (const { header } of others) expect(header?.relatedTo).toBe(stall.header?.id)
    expect((await program.state()).warnings).toEqual([])
  })
})

describe('what is no stall', () => {
  test('a debugger that may be attached', async () => {
    const program = await programs.start()
    await program.ask({ do: 'open inspector' })
    await pause(150)
    await program.ask({ do: 'loop', ms: 800 })
    await turnsAgain(program)
    expect(program.incidents()).toEqual([])
  })

  test('a native call before the first turn of the loop', async () => {
    const program = await programs.start({}, { busyMs: 1500 })
    await turnsAgain(program)
    expect(program.incidents()).toEqual([])
  })

  test('a stopped process', async () => {
    const program = await programs.start()
    await program.state()
    spawnSync('kill', ['-STOP', `${program.process.pid}`])
    await pause(2000)
    spawnSync('kill', ['-CONT', `${program.process.pid}`])
    await turnsAgain(program)
    expect(program.incidents()).toEqual([])
  })

  test('any, where nobody watches', async () => {
    const program = await programs.start({ sidecar: { stallMs: 0 } })
    await program.ask({ do: 'loop', ms: 800 })
    await turnsAgain(program)
    expect(program.incidents()).toEqual([])
  })
})

describe('a process that ends in the window of a stall', () => {
  test('leaves a whole file, and nothing else', async () => {
    const program = await programs.start({ reporter: { postTrigger: { events: 10_000, ms: 60_000 } } })
    await program.ask({ do: 'loop', ms: 600 })
    await program.ask({ do: 'log', severity: 'info', message: 'last words' })
    program.tell({ do: 'exit', code: 3 })
    expect(await program.ended).toEqual({ code: 3, signal: null, talk: '' })
    expect(program.files()).toEqual(program.incidents())
    const file = program.read()
    expect(file.verdict).toMatchObject({ state: 'whole', damage: [] })
    expect(file.trailer?.reason).toBe('exit')
    expect(messages(file)).toContain('last words')
  })
})
