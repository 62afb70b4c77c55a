import { join } from 'node:path'
import { canMount } from '../recorder/small-disk'
import { canMountThinDisk, ThinDisk } from './thin-disk'
import { expectUnharmed, Scene, wholeIncident } from './troubled-program'

const withDisk = canMount() && canMountThinDisk() ? describe : describe.skip

withDisk('a device that loses what the system took (skipped where tests may not mount one)', () => {
  let scene: Scene
  let disk: ThinDisk
  beforeEach(() => {
    scene = new Scene()
    disk = new ThinDisk(scene.directory, join(scene.root, 'under'))
  })
  afterEach(async () => {
    await scene.stop()
    disk.end()
    await scene.end()
  })

  test('is told once; the plain file goes only when a compressed one has arrived on it', async () => {
    const program = await scene.start({ reporter: { postTrigger: { events: 200, ms: 60_000 } } })
    disk.fail()
    program.say({ do: 'fill', events: 5000 })
    program.say({ do: 'trigger' })
    await program.until(({ warnings }) => warnings.length > 0)
    disk.heal()
    await program.until(({ finished }) => finished === 1)
    const ended = await program.end()
    expectUnharmed(ended, /ENOSPC|EIO/)
    expect(ended.last).toMatchObject({ stats: { lostEvents: 0, unfinished: 0 } })
    disk.mountAgain()
    expect(wholeIncident(ended.last.incidents[0]).events.length).toBeGreaterThan(5200)
  })
})
