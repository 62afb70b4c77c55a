import { spawnSync } from 'node:child_process'
import { expectUnharmed, LONG_WINDOW, Scene, wholeIncident } from './troubled-program'

const canLimit = spawnSync('prlimit', ['--version']).status === 0
const withLimits = canLimit ? describe : describe.skip

withLimits('a process (skipped without prlimit)', () => {
  let scene: Scene
  beforeEach(() => {
    scene = new Scene()
  })
  afterEach(() => scene.end())

  test('that has no file descriptors left at its first trigger writes the incident when it has', async () => {
    const program = await scene.start(LONG_WINDOW)
    await program.settled()
    program.limit('nofile', 1)
    program.say({ do: 'trigger' })
    const { stats } = await program.more()
    expect(stats).toMatchObject({ recorded: 1, refused: 1, lostEvents: 0 })
    program.limit('nofile', 1024)
    await program.until(({ stats }) => stats?.unwrittenBytes === 0)
    const ended = await program.end()
    expectUnharmed(ended, 'EMFILE')
    expect(ended.last).toMatchObject({ finished: 1 })
    wholeIncident(ended.last.incidents[0])
  })

  test('that runs out of file descriptors inside its first window compresses the incident when it has some', async () => {
    const program = await scene.start({ reporter: { postTrigger: { events: 100, ms: 60_000 } } })
    await program.settled()
    program.say({ do: 'trigger' })
    await program.until(({ incidents }) => incidents[0] !== undefined)
    program.limit('nofile', 1)
    const { stats } = await program.until(({ warnings }) => warnings.length > 0)
    expect(stats).toMatchObject({ unfinished: 1, unwrittenBytes: 0, lostEvents: 0 })
    program.limit('nofile', 1024)
    await program.until(({ finished }) => finished === 1)
    const ended = await program.end()
    expectUnharmed(ended, 'EMFILE')
    wholeIncident(ended.last.incidents[0])
  })

  test('that may write no large files has the incident when it may', async () => {
    const program = await scene.start(LONG_WINDOW)
    program.say({ do: 'fill', events: 2000 })
    program.limit('fsize', 64 * 1024)
    program.say({ do: 'trigger' })
    const { stats } = await program.until(({ stats }) => (stats?.unwrittenBytes ?? 0) > 0)
    expect(stats).toMatchObject({ recorded: 1, refused: 1, lostEvents: 0 })
    program.limit('fsize', 'unlimited')
    await program.until(({ stats }) => stats?.unwrittenBytes === 0)
    const ended = await program.end()
    expectUnharmed(ended, 'EFBIG')
    wholeIncident(ended.last.incidents[0])
  })
})
