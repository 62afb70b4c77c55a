import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Flog } from '../command'
import { incidentFiles, program, Recordings, record, recordedEvents } from './recordings'

const recordings = new Recordings()
const { scratch } = recordings

describe('incidents', () => {
  test('an error line begins one, which is finished on disk when we end', async () => {
    const directory = recordings.fresh()
    const script = `
      console.log(JSON.stringify({ level: 'debug', message: 'lease {lease} taken', lease: 7 }))
      console.log(JSON.stringify({ level: 50, time: Date.now(), pid: 1, hostname: 'h', msg: 'boom', err: { type: 'TypeError', message: 'm', stack: 'TypeError: m\\n    at x' } }))
      console.error('afterwards')`
    const { stderr, code } = await record(directory, program(script))
    expect(code).toBe(0)
    expect(stderr).toMatch(/^flog: incident begins: error stdout: boom$/m)
    expect(stderr).toMatch(/^flog: incident recorded; to read it: flog dump .*\.incident\.flog\.gz$/m)
    expect(incidentFiles(directory)).toEqual([expect.stringMatching(/\.incident\.flog\.gz$/)])
    const recorded = await recordedEvents(directory)
    expect(recorded).toContainEqual(
      expect.objectContaining({
        severity: 'debug',
        message: 'lease 7 taken',
        facility: 'stdout',
        fields: { lease: 7 },
      }),
    )
    expect(recorded).toContainEqual(
      expect.objectContaining({
        severity: 'error',
        message: 'boom',
        trigger: true,
        error: expect.objectContaining({ name: 'TypeError' }),
      }),
    )
    expect(recorded).toContainEqual(
      expect.objectContaining({ severity: 'info', message: 'afterwards', facility: 'stderr' }),
    )
  })

  test('a program that fails is one, with what it printed last', async () => {
    const directory = recordings.fresh()
    await record(directory, program('console.log("last words"); process.exit(3)'))
    const recorded = await recordedEvents(directory)
    expect(recorded).toContainEqual(expect.objectContaining({ message: 'last words' }))
    expect(recorded).toContainEqual(
      expect.objectContaining({
        severity: 'fatal',
        trigger: true,
        fields: expect.objectContaining({ exitCode: 3 }),
      }),
    )
  })

  test('an uncaught error of a program comes with its stack', async () => {
    const directory = recordings.fresh()
    await record(directory, program('function charge() { throw new RangeError("out of it") }\ncharge()'))
    const trigger = (await recordedEvents(directory)).find((event) => event['trigger'] === true)
    expect(trigger).toMatchObject({
      severity: 'error',
      facility: 'stderr',
      error: { name: 'RangeError', message: 'out of it', stack: expect.stringContaining('at charge') },
    })
  })

  test('--no-exit leaves out the program that fails, --severity says which lines', async () => {
    const directory = recordings.fresh()
    await record(directory, [
      '--no-exit',
      '--severity',
      'fatal',
      ...program('console.log("error: bad"); process.exit(3)'),
    ])
    expect(incidentFiles(directory)).toEqual([])
    await record(directory, ['--severity', 'warn', ...program('console.log("warn: soon")')])
    expect(incidentFiles(directory)).toHaveLength(1)
  })

  test('passwords in lines are redacted, in the file and not in what is shown', async () => {
    const directory = recordings.fresh()
    const line = '{"level":"error","message":"login failed","password":"hunter2"}'
    const { stdout } = await record(directory, ['cat'], line)
    expect(stdout).toBe(line)
    expect(await recordedEvents(directory)).toContainEqual(
      expect.objectContaining({ fields: { password: '[redacted]' } }),
    )
  })
})

describe('at the end of a pipe', () => {
  test('standard input is recorded and passed on, and the exit code is 0', async () => {
    const directory = recordings.fresh()
    const { code, stdout } = await record(directory, [], 'hello\nERROR no end of line')
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'hello\nERROR no end of line' })
    expect(await recordedEvents(directory)).toContainEqual(
      expect.objectContaining({ message: 'no end of line', trigger: true }),
    )
  })

  test('--quiet prints nothing', async () => {
    expect(await record(recordings.fresh(), ['--quiet'], 'error: x\n')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    })
  })

  test('SIGTERM leaves a finished incident', async () => {
    const directory = recordings.fresh()
    const run = new Flog(['record', '-d', directory])
    run.child.stdin.write('error: x\n')
    await run.until(/flog: incident/)
    run.kill('SIGTERM')
    expect((await run.ended).code).toBe(143)
    expect(incidentFiles(directory)).toEqual([expect.stringMatching(/\.gz$/)])
  })
})

test('a directory that cannot be made does not keep the program from running', async () => {
  mkdirSync(join(scratch, 'blocked'))
  spawnSync('sh', ['-c', `echo > ${join(scratch, 'blocked/file')}`])
  const { code, stdout, stderr } = await record(join(scratch, 'blocked/file/incidents'), [
    'sh',
    '-c',
    'echo "error: x"; exit 5',
  ])
  expect({ code, stdout }).toEqual({ code: 5, stdout: 'error: x\n' })
  expect(stderr).toMatch(/flog: .*incident/)
})
