import { readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parsed } from '../incident/parsing'
import { canMount } from '../recorder/small-disk'
import { expectUnharmed, LONG_WINDOW, NO_WINDOW, Scene, wholeIncident } from './troubled-program'

const withDisk = canMount() ? describe : describe.skip

withDisk('a disk (skipped where tests may not mount one)', () => {
  let scene: Scene
  beforeEach(() => {
    scene = new Scene()
  })
  afterEach(() => scene.end())

  test('that is full at the trigger: the incident waits in memory and is written when there is room', async () => {
    const disk = scene.disk('64k')
    const program = await scene.start(LONG_WINDOW)
    program.say({ do: 'fill', events: 2000 })
    program.say({ do: 'trigger' })
    const { stats } = await program.more()
    expect(stats).toMatchObject({ recorded: 1, refused: 1, lostEvents: 0 })
    expect(stats?.unwrittenBytes).toBeGreaterThan(200_000)
    disk.remount('size=8m')
    await program.until(({ stats }) => stats?.unwrittenBytes === 0)
    const ended = await program.end()
    expectUnharmed(ended, 'ENOSPC')
    expect(ended.last).toMatchObject({ finished: 1, stats: { refused: 1, lostEvents: 0 } })
    expect(wholeIncident(ended.last.incidents[0]).events.length).toBeGreaterThan(2030)
  })

  test('that fills up inside the window, and from which somebody removes the file meanwhile', async () => {
    const disk = scene.disk('256k')
    const program = await scene.start(LONG_WINDOW)
    program.say({ do: 'trigger' })
    await program.more()
    program.say({ do: 'fill', events: 3000 })
    await program.until(({ stats }) => (stats?.unwrittenBytes ?? 0) > 0)
    const [name = ''] = scene.files()
    unlinkSync(join(scene.directory, name))
    await program.more()
    disk.remount('size=8m')
    await program.until(({ stats }) => stats?.unwrittenBytes === 0)
    await program.more()
    const ended = await program.end()
    expectUnharmed(ended, 'ENOSPC')
    expect(ended.last).toMatchObject({ finished: 1, stats: { refused: 1, lostEvents: 0, unfinished: 0 } })
    expect(wholeIncident(ended.last.incidents[0]).events.length).toBeGreaterThan(3030)
  })

  test('that is full for a while inside the window with other things: room by removing those is enough', async () => {
    scene.disk('256k')
    const filler = join(scene.directory, 'filler')
    const program = await scene.start(LONG_WINDOW)
    program.say({ do: 'trigger' })
    await program.until(({ incidents }) => incidents[0] !== undefined)
    expect(() => writeFileSync(filler, Buffer.alloc(1024 ** 2))).toThrow('ENOSPC')
    await program.until(({ stats }) => (stats?.unwrittenBytes ?? 0) > 0)
    unlinkSync(filler)
    await program.until(({ stats }) => stats?.unwrittenBytes === 0)
    const ended = await program.end()
    expectUnharmed(ended, 'ENOSPC')
    wholeIncident(ended.last.incidents[0])
  })

  test('that has room and no inodes left for the compressed copy: the plain file stays until it has', async () => {
    const disk = scene.disk('4m,nr_inodes=2')
    const program = await scene.start(NO_WINDOW)
    program.say({ do: 'trigger' })
    await program.until(({ warnings }) => warnings.length > 0)
    const { stats } = await program.more()
    expect(stats).toMatchObject({ unfinished: 1, unwrittenBytes: 0 })
    expect(scene.files()).toEqual([expect.stringMatching(/\.incident\.flog$/)])
    disk.remount('nr_inodes=20')
    await program.until(({ finished }) => finished === 1)
    expectUnharmed(await program.end(), 'ENOSPC')
    expect(scene.files()).toEqual([expect.stringMatching(/\.gz$/)])
    wholeIncident(join(scene.directory, scene.files()[0] ?? ''))
  })

  test('that stays full until the recorder is closed: what it never took is counted as lost', async () => {
    scene.disk('64k')
    const program = await scene.start(LONG_WINDOW)
    program.say({ do: 'fill', events: 2000 })
    program.say({ do: 'trigger' })
    await program.more()
    const ended = await program.end()
    expectUnharmed(ended, 'ENOSPC')
    expect(ended.last).toMatchObject({ finished: 0, stats: { unwrittenBytes: 0, unfinished: 0 } })
    expect(ended.last.stats?.lostEvents).toBeGreaterThan(1500)
    const file = readFileSync(join(scene.directory, scene.files()[0] ?? ''))
    expect(file.length).toBe(64 * 1024)
    // The cut block is counted as lost, and a reader may get some of it.
    const there = parsed(file).events.length
    expect(there + (ended.last.stats?.lostEvents ?? 0)).toBeGreaterThanOrEqual(ended.last.logged)
  })

  test('that is read-only until after the trigger', async () => {
    const disk = scene.disk('4m')
    disk.remount('ro')
    const program = await scene.start(LONG_WINDOW)
    program.say({ do: 'trigger' })
    const { stats, incidents } = await program.more()
    expect(stats).toMatchObject({ recorded: 1, refused: 1, lostEvents: 0 })
    expect(incidents).toHaveLength(1)
    disk.remount('rw')
    await program.until(({ stats }) => stats?.unwrittenBytes === 0)
    const ended = await program.end()
    expectUnharmed(ended, 'EROFS')
    wholeIncident(ended.last.incidents[0])
  })

  test.each(['exit', 'throw'] as const)(
    'that is full when the process ends (%s) makes no difference to its exit code and what it says',
    async (how) => {
      scene.disk('64k')
      const [bare, recorded] = await Promise.all([scene.startBare(), scene.start(LONG_WINDOW)])
      recorded.say({ do: 'fill', events: 2000 })
      recorded.say({ do: 'trigger' })
      await recorded.more()
      const [expected, ended] = await Promise.all([bare.end(how), recorded.end(how)])
      expect(ended.code).toBe(how === 'exit' ? 3 : 1)
      expect([ended.code, ended.talk]).toEqual([expected.code, expected.talk])
      expect(ended.warned).toEqual([expect.stringContaining('ENOSPC')])
    },
  )
})
