import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { allVerbs } from '../../../tools/flog/verbs'
import { flog, flogArguments, scratchDirectory } from './command'

const ROOT = join(__dirname, '../../..')
const WHOLE = 'fixtures/incident/v1/whole.incident.flog.gz'
const scratch = scratchDirectory()

test('--version prints the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  expect(await flog(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' })
})

test('without arguments it prints its help', async () => {
  const { code, stdout } = await flog([])
  expect(code).toBe(0)
  for (const { name: verb } of allVerbs()) {
    expect(stdout).toMatch(new RegExp(`^  ${verb} `, 'm'))
  }
})

test('each command has a help with examples', async () => {
  const verbs = allVerbs().map(({ name }) => name)
  const helps = await Promise.all(verbs.map((verb) => flog([verb, '--help'])))
  for (const { code, stdout } of helps) {
    expect(code).toBe(0)
    expect(stdout).toContain('Examples:\n  ')
  }
})

describe('called wrongly it exits with 2, says why on standard error, and what to do', () => {
  test.each([
    ['an unknown command', ['dmup'], /unknown command 'dmup' \(Did you mean dump\?\)/],
    ['an unknown option', ['dump', '--jsno', 'x'], /unknown option '--jsno' \(Did you mean --json\?\)/],
    ['an option twice', ['filter', 'x', '--facility', 'a', '--facility', 'b'], /--facility is given twice/],
    ['a missing argument', ['verify'], /missing required argument 'file'/],
    [
      'a choice that is none',
      ['dump', '--time', 'swatch', 'x'],
      /Allowed choices are relative, utc, local, epoch/,
    ],
    ['a severity that is none', ['tail', '--severity', 'eror', 'x'], /did you mean error/],
    ['an age that is none', ['incidents', '--since', 'yesterday', '.'], /option --since takes a time/],
    ['a port that is none', ['serve', '--port', '99999', '.'], /option --port takes/],
    ['nothing named', ['incidents'], /FLOG_LOGPORT/],
    ['a logport that was cut short', ['tail', 'flog://127.0.0.1:1/'], /quoted in a shell/],
    ['no incident named', ['fetch', 'flog://127.0.0.1:1/#read.x'], /--all, or --latest/],
  ])('%s', async (_, args, message) => {
    const { code, stdout, stderr } = await flog(args)
    expect(stderr).toMatch(message)
    expect(stderr).toMatch(/^flog: /)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })
})

test('a reader that goes away ends it quietly', async () => {
  const child = spawn(
    'sh',
    [
      '-c',
      '"$0" "$@" | head -1',
      process.execPath,
      ...flogArguments(['dump', '--json', ...Array(200).fill(WHOLE)]),
    ],
    {
      cwd: ROOT,
    },
  )
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  await new Promise((resolve) => child.on('close', resolve))
  expect(stdout.split('\n')).toHaveLength(2)
  expect(stderr).toBe('')
})

test('colours are asked for before or after the command', async () => {
  const [before, after, none] = await Promise.all([
    flog(['--color', 'always', 'dump', WHOLE]),
    flog(['dump', '--color=always', WHOLE]),
    flog(['dump', WHOLE]),
  ])
  expect(before.stdout).toContain('\u001b[')
  expect(after.stdout).toBe(before.stdout)
  expect(none.stdout).not.toContain('\u001b')
})

test('what is missing is named, with exit code 1', async () => {
  const [file, directory] = await Promise.all([
    flog(['dump', join(scratch, 'nope')]),
    flog(['recover', join(scratch, 'nope')]),
  ])
  expect(file).toMatchObject({ code: 1, stderr: `flog: there is no file ${join(scratch, 'nope')}\n` })
  expect(directory).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no such file or directory'),
  })
})
