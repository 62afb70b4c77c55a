import { messageText } from '../../src/event/template'
import { Scene, wholeIncident } from './troubled-program'

let scene: Scene
beforeEach(() => {
  scene = new Scene()
})
afterEach(() => scene.end())

const DAY_MS = 86_400_000

describe('a wall clock', () => {
  test('that steps back and forth inside the window: order, window and file are as without, and each step is told', async () => {
    const program = await scene.start({ reporter: { postTrigger: { events: 1e6, ms: 4000 } } })
    program.say({ do: 'trigger' })
    for (const days of [-400, 800]) {
      program.say({ do: 'step', ms: days * DAY_MS })
      const { logged } = await program.more()
      // The clock is looked at once a second.
      await program.until((state) => state.logged >= logged + 250)
    }
    await program.until(({ finished }) => finished === 1)
    const { code, talk, warned, last } = await program.end()
    expect({ code, talk, warned, thrown: last.thrown }).toEqual({ code: 0, talk: '', warned: [], thrown: 0 })
    const { events, trailer } = wholeIncident(last.incidents[0])
    expect(trailer?.reason).toBe('time')
    const steps = events.filter(({ facility }) => facility === 'flog.clock').map(messageText)
    expect(steps).toEqual([
      expect.stringMatching(/^the wall clock moved by -345\d{8} ms$/),
      expect.stringMatching(/^the wall clock moved by 69\d{9} ms$/),
    ])
  })

  test('that is set back does not make the newest incident the first that the quota removes', async () => {
    const program = await scene.start({
      reporter: { postTrigger: { events: 0, ms: 0 } },
      retention: { maxIncidents: 2 },
    })
    for (let n = 1; n <= 2; n++) {
      program.say({ do: 'trigger' })
      await program.until(({ finished }) => finished === n)
    }
    const before = scene.files()
    program.say({ do: 'step', ms: -400 * DAY_MS })
    const { logged } = await program.more()
    await program.until((state) => state.logged >= logged + 250)
    program.say({ do: 'trigger' })
    await program.until(({ finished }) => finished === 3)
    const { last, warned } = await program.end()
    expect(warned).toEqual([])
    const newest = wholeIncident(last.incidents[2])
    expect(newest.header?.openedAt).toBeLessThan((Date.now() - 300 * DAY_MS) * 1000)
    expect(scene.files()).toEqual([expect.any(String), before[1]])
  })
})
