import {
  chmodSync,
  chownSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { RecorderOptions } from '../../src/recorder/options'
import {
  boundUser,
  expectUnharmed,
  LONG_WINDOW,
  Scene,
  type TroubledProgram,
  wholeIncident,
} from './troubled-program'

let scene: Scene
beforeEach(() => {
  scene = new Scene()
})
afterEach(() => scene.end())

describe('an incident directory', () => {
  test('that is removed inside the window is made again, and the incident written anew', async () => {
    const program = await scene.start(LONG_WINDOW)
    program.say({ do: 'trigger' })
    await program.more()
    rmSync(scene.directory, { recursive: true })
    await program.more()
    const { code, talk, warned, last } = await program.end()
    expect({ code, talk, warned, thrown: last.thrown }).toEqual({ code: 0, talk: '', warned: [], thrown: 0 })
    expect(last).toMatchObject({ finished: 1, stats: { refused: 0, lostEvents: 0 } })
    wholeIncident(last.incidents[0])
  })

  test('that becomes a file inside the window', async () => {
    const program = await scene.start({ reporter: { postTrigger: { events: 100, ms: 60_000 } } })
    await program.settled()
    program.say({ do: 'trigger' })
    await program.until(({ incidents }) => incidents[0] !== undefined)
    rmSync(scene.directory, { recursive: true })
    writeFileSync(scene.directory, 'in the way')
    const { stats } = await program.until(({ warnings }) => warnings.length > 0)
    expect(stats).toMatchObject({ unfinished: 1, refused: 1 })
    unlinkSync(scene.directory)
    await program.until(({ finished }) => finished === 1)
    const ended = await program.end()
    expectUnharmed(ended, /ENOTDIR|EEXIST/)
    wholeIncident(ended.last.incidents[0])
  })

  test('that is moved away and back inside the window', async () => {
    const program = await scene.start(LONG_WINDOW)
    program.say({ do: 'trigger' })
    await program.more()
    renameSync(scene.directory, `${scene.directory}-elsewhere`)
    await program.more()
    renameSync(`${scene.directory}-elsewhere`, scene.directory)
    const { code, talk, warned, last } = await program.end()
    expect({ code, talk, warned, thrown: last.thrown }).toEqual({ code: 0, talk: '', warned: [], thrown: 0 })
    wholeIncident(last.incidents[0])
  })

  test('that is moved away when the window ends: the plain file is whole where it is now', async () => {
    const program = await scene.start(LONG_WINDOW)
    program.say({ do: 'trigger' })
    await program.more()
    const elsewhere = `${scene.directory}-elsewhere`
    renameSync(scene.directory, elsewhere)
    const ended = await program.end()
    expectUnharmed(ended, 'FLOG_FILE_MISSING')
    renameSync(elsewhere, scene.directory)
    wholeIncident(join(scene.directory, scene.files()[0] ?? ''))
  })

  test('that is a link to nowhere, until what it leads to is made', async () => {
    const target = join(scene.root, 'target')
    symlinkSync(target, scene.directory)
    const program = await scene.start(LONG_WINDOW)
    program.say({ do: 'trigger' })
    const { stats } = await program.more()
    expect(stats).toMatchObject({ recorded: 1, refused: 1, lostEvents: 0 })
    mkdirSync(target)
    await program.until(({ stats }) => stats?.unwrittenBytes === 0)
    const ended = await program.end()
    expectUnharmed(ended, 'ENOENT')
    wholeIncident(ended.last.incidents[0])
  })
})

const user = boundUser()
const withUser = user === undefined ? describe.skip : describe

withUser('permissions of the directory (skipped where nobody but root may read what is built)', () => {
  async function startBound(options: RecorderOptions): Promise<TroubledProgram> {
    mkdirSync(scene.directory)
    if (user?.uid !== undefined) chownSync(scene.directory, user.uid, user.uid)
    const program = await scene.start(options, user?.uid)
    await program.settled()
    return program
  }

  test.each(['0500', '0000'])('that are %s at the trigger', async (mode) => {
    const program = await startBound(LONG_WINDOW)
    chmodSync(scene.directory, mode)
    program.say({ do: 'trigger' })
    const { stats } = await program.more()
    expect(stats).toMatchObject({ recorded: 1, refused: 1, lostEvents: 0 })
    chmodSync(scene.directory, '0700')
    await program.until(({ stats }) => stats?.unwrittenBytes === 0)
    const ended = await program.end()
    expectUnharmed(ended, 'EACCES')
    wholeIncident(ended.last.incidents[0])
  })

  test.each(['0500', '0000'])('that are %s when the incident is to be compressed', async (mode) => {
    const program = await startBound({ reporter: { postTrigger: { events: 100, ms: 60_000 } } })
    program.say({ do: 'trigger' })
    await program.until(({ incidents }) => incidents[0] !== undefined)
    chmodSync(scene.directory, mode)
    const { stats } = await program.until(({ warnings }) => warnings.length > 0)
    expect(stats).toMatchObject({ unfinished: 1, unwrittenBytes: 0, lostEvents: 0 })
    chmodSync(scene.directory, '0700')
    await program.until(({ finished }) => finished === 1)
    expectUnharmed(await program.end(), 'EACCES')
    expect(scene.files()).toEqual([expect.stringMatching(/\.gz$/)])
    wholeIncident(join(scene.directory, scene.files()[0] ?? ''))
  })
})
