import { spawn } from 'node:child_process'
import { Flog, flogArguments } from '../command'
import { incidentFiles, program, Recordings, record } from './recordings'

const recordings = new Recordings()
const { scratch } = recordings

describe('what the program prints', () => {
  test('comes out as it went in, byte by byte, on the stream that it was written to', async () => {
    const script = `
      const bytes = Buffer.alloc(300_000, 0)
      for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 7 + (i >> 8)) & 255
      process.stdout.write(bytes)
      process.stderr.write('half a line')`
    const directory = recordings.fresh()
    const run = new Flog(['record', '-q', '--no-exit', '-d', directory, ...program(script)], { input: '' })
    expect((await run.ended).stdout).toBe('')
    const shown = new Flog(['record', '-d', directory, ...program(script)], { input: '' })
    const { code, stderr } = await shown.ended
    expect(code).toBe(0)
    expect(shown.stdout).toHaveLength(300_000)
    for (let i = 0; i < 300_000; i += 997) expect(shown.stdout[i]).toBe((i * 7 + (i >> 8)) & 255)
    expect(stderr).toContain('half a line')
  })

  test('a slow reader gets all of it', async () => {
    const run = new Flog(
      ['record', '-d', recordings.fresh(), ...program('process.stdout.write("x".repeat(5_000_000))')],
      { input: '' },
    )
    run.child.stdout.pause()
    await new Promise((resolve) => run.child.stdout.once('readable', resolve))
    run.child.stdout.resume()
    await run.ended
    expect(run.stdout).toHaveLength(5_000_000)
  })

  test('a reader that goes away ends the program as it would without us', async () => {
    const endless = 'setInterval(() => console.log("line"), 1)'
    const shell = spawn('sh', [
      '-c',
      '"$0" "$@" | head -1',
      process.execPath,
      ...flogArguments(['record', '-d', recordings.fresh(), ...program(endless)]),
    ])
    let stdout = ''
    shell.stdout.on('data', (chunk) => (stdout += chunk))
    await new Promise((resolve) => shell.on('close', resolve))
    expect(stdout).toBe('line\n')
  })

  test('the program reads our standard input', async () => {
    const { stdout } = await record(recordings.fresh(), ['cat'], 'from outside')
    expect(stdout).toBe('from outside')
  })
})

describe('exit', () => {
  test.each([0, 42])('code %d is passed on', async (exitCode) => {
    expect(await record(recordings.fresh(), program(`process.exit(${exitCode})`))).toMatchObject({
      code: exitCode,
      signal: null,
    })
  })

  test.each(['SIGTERM', 'SIGKILL', 'SIGHUP'] as const)(
    'a program that dies by %s takes us with it',
    async (signal) => {
      const ended = await record(
        recordings.fresh(),
        program(`process.kill(process.pid, '${signal}'); setTimeout(() => {}, 1e6)`),
      )
      expect(ended).toMatchObject({ code: null, signal })
    },
  )

  test('a program that dies by a signal with a core file gives 128 + n', async () => {
    const ended = await record(recordings.fresh(), ['sh', '-c', 'ulimit -c 0; kill -SEGV $$'])
    expect(ended).toMatchObject({ code: 139, signal: null })
  })

  test('a command that is not there gives 127, one that cannot be run 126', async () => {
    const [missing, refused] = await Promise.all([
      record(recordings.fresh(), ['no-such-command-here']),
      record(recordings.fresh(), [scratch]),
    ])
    expect(missing).toMatchObject({
      code: 127,
      stderr: expect.stringContaining('no-such-command-here: command not found'),
    })
    expect(refused).toMatchObject({ code: 126, stderr: expect.stringContaining('permission denied') })
  })

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s is passed on, once, and is no incident',
    async (signal) => {
      const script = `
      let seen = 0
      process.on('${signal}', () => { seen++; setTimeout(() => { console.log('seen ' + seen); process.exit(7) }, 50) })
      console.log('ready'); setInterval(() => {}, 1e6)`
      const directory = recordings.fresh()
      const run = new Flog(['record', '-d', directory, ...program(script)], { input: '' })
      await run.until(/ready/)
      run.kill(signal)
      expect(await run.ended).toMatchObject({ code: 7, signal: null, stdout: 'ready\nseen 1\n' })
      expect(incidentFiles(directory)).toEqual([])
    },
  )

  test('a background process that keeps the output open does not keep us', async () => {
    const { code, stdout } = await record(recordings.fresh(), ['sh', '-c', 'echo begun; sleep 30 & exit 0'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'begun\n' })
  })
})
