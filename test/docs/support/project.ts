import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const ROOT = join(__dirname, '../../..')
const TSC = join(ROOT, 'node_modules/@typescript/native/bin/tsc')

const COMPILER_OPTIONS = {
  target: 'es2022',
  module: 'nodenext',
  strict: true,
  skipLibCheck: true,
  noEmitOnError: true,
  types: ['node'],
}

/** What a user's project looks like that has installed the package: a place where the blocks of a page can be run. */
export class UserProject {
  readonly directory = mkdtempSync(join(tmpdir(), 'flog-readme-'))
  readonly #services: ChildProcess[] = []

  constructor() {
    mkdirSync(this.path('node_modules/.bin'), { recursive: true })
    mkdirSync(this.path('node_modules/@types'))
    symlinkSync(ROOT, this.path('node_modules/flight-log'))
    for (const name of ['winston', '@types/node']) {
      symlinkSync(join(ROOT, 'node_modules', name), this.path(`node_modules/${name}`))
    }
    symlinkSync(join(ROOT, 'dist/tools/flog/main.js'), this.path('node_modules/.bin/flog'))
    this.write('package.json', { private: true, type: 'module' })
    this.write('tsconfig.json', { compilerOptions: COMPILER_OPTIONS })
  }

  path(name: string): string {
    return join(this.directory, name)
  }

  write(name: string, content: unknown): void {
    writeFileSync(this.path(name), typeof content === 'string' ? content : JSON.stringify(content))
  }

  /** Compiles all TypeScript there is. Rejects with what the compiler says. */
  async compile(): Promise<void> {
    await this.#run(process.execPath, [TSC, '-p', '.'])
  }

  /** @returns what the program prints */
  node(script: string): Promise<string> {
    return this.#run(process.execPath, [script])
  }

  /** Rejects where one of the commands fails; `npx` itself, which takes its time, is left out. @returns what they print */
  sh(commands: string): Promise<string> {
    return this.#run('sh', ['-e', '-c', commands.replaceAll(/^npx /gm, 'node_modules/.bin/')])
  }

  /** Runs an installed command in the way that pages tell users to. @returns what it prints */
  npx(...command: string[]): Promise<string> {
    return this.#run('npx', ['--no-install', ...command])
  }

  /** Starts a program that does not end by itself; resolves when it prints something. */
  async startService(script: string): Promise<string> {
    const service = spawn(process.execPath, [script], {
      cwd: this.directory,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#services.push(service)
    const [chunk] = await once(service.stdout, 'data')
    return String(chunk)
  }

  async remove(): Promise<void> {
    for (const service of this.#services) {
      service.kill()
      if (service.exitCode === null && service.signalCode === null) await once(service, 'exit')
    }
    rmSync(this.directory, { recursive: true })
  }

  async #run(command: string, args: readonly string[]): Promise<string> {
    try {
      const { stdout } = await promisify(execFile)(command, [...args], { cwd: this.directory })
      return stdout
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { readonly stdout?: string; readonly stderr?: string }
      throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error })
    }
  }
}
