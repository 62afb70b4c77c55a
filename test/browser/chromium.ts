import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { loadPage, selfContainedHtml } from '../../src/viewer/page-html'
import { type BusyIncident, writeBusyIncident } from '../../tools/bench/busy-incident'

const EXECUTABLE = '/usr/bin/chromium'
const QUIET = ['--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-sync']
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-component-update', ...QUIET]

/** A browser on a machine that is busy with other things takes its time. */
const PATIENCE_MS = 120_000

/** Built before the first test. */
export const PAGE = loadPage(join(__dirname, '../../dist/src/viewer/page.html'))

/** Tests in a real browser; skipped, and said so, where there is none, unless that is what is tested: `CI=true`. */
export function describeInBrowser(name: string, tests: (rig: BrowserRig) => void): void {
  const isThere = existsSync(EXECUTABLE)
  if (!isThere && process.env['CI'] !== 'true') {
    describe.skip(`${name} (skipped: there is no ${EXECUTABLE})`, () => tests(new BrowserRig()))
    return
  }
  jest.setTimeout(PATIENCE_MS)
  describe(name, () => {
    const rig = new BrowserRig()
    beforeAll(() => rig.start())
    afterEach(() => rig.closePages())
    afterAll(() => rig.stop())
    tests(rig)
  })
}

export class BrowserRig {
  readonly directory = mkdtempSync(join(tmpdir(), 'flog-browser-'))
  /** What pages said on their console, or threw. */
  readonly complaints: string[] = []
  /** Addresses, by what is in them: most tests look at the same incident. */
  readonly #exports = new Map<string, string>()
  #pages = 0
  #browser: Browser | undefined

  async start(): Promise<void> {
    this.#browser = await chromium.launch({ executablePath: EXECUTABLE, args: ARGUMENTS })
  }

  async stop(): Promise<void> {
    await this.#browser?.close()
    rmSync(this.directory, { recursive: true, force: true })
  }

  async closePages(): Promise<void> {
    await Promise.all(this.#browser?.contexts().map((context) => context.close()) ?? [])
    this.complaints.length = 0
  }

  async page(options: BrowserContextOptions = {}): Promise<Page> {
    if (this.#browser === undefined) throw new Error('the browser was not started')
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
    const page = await context.newPage()
    page.setDefaultTimeout(PATIENCE_MS)
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text())
    })
    page.on('pageerror', (error) => this.complaints.push(String(error)))
    return page
  }

  /** A self-contained page with a generated incident in it, opened from the disk. */
  async openExport(
    incident: BusyIncident,
    { hash = '', ...options }: BrowserContextOptions & { readonly hash?: string } = {},
  ): Promise<Page> {
    const page = await this.page(options)
    await page.goto(`${await this.writeExport(incident)}${hash}`)
    await ready(page)
    return page
  }

  /** @returns the address of the file */
  async writeExport(incident: BusyIncident): Promise<string> {
    const asked = JSON.stringify(incident)
    const known = this.#exports.get(asked)
    if (known !== undefined) return known
    const path = join(this.directory, 'a.incident.flog.gz')
    await writeBusyIncident(path, incident)
    const address = this.writeHtml(readFileSync(path))
    this.#exports.set(asked, address)
    return address
  }

  /** @param recording bytes of a file, whatever they are */
  writeHtml(recording: Uint8Array): string {
    const path = join(this.directory, `incident-${this.#pages++}.html`)
    writeFileSync(path, [...selfContainedHtml(PAGE, [recording])].join(''))
    return pathToFileURL(path).href
  }
}

/** Resolves when a recording was read to its end. */
export async function ready(page: Page): Promise<void> {
  await matches(page, /^[\d,]+/)
}

/** Resolves when the list shows what a filter leaves. */
export async function matches(page: Page, pattern: RegExp): Promise<void> {
  await page.locator('.matches', { hasText: pattern }).waitFor({ timeout: PATIENCE_MS })
}
