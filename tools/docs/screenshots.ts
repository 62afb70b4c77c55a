import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, type BrowserContextOptions, chromium } from 'playwright-core'
import type { IncidentPart } from '../../src/incident/parser'
import { readIncidentFile } from '../../src/incident/reader'
import { rewriteIncident } from '../../src/incident/rewrite'
import { loadPage, selfContainedHtml } from '../../src/viewer/page-html'
import { writePage } from '../build/page'
import { inFewColours } from './png'

const ROOT = join(__dirname, '../..')
const TO = join(ROOT, 'fixtures/screenshots')
const CHROMIUM = '/usr/bin/chromium'
/** Letters in shades of grey: there are fewer of them than of coloured edges. */
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-lcd-text', '--no-first-run']
const WIDE = { width: 1280, height: 800 }

const SCREENSHOTS: readonly (BrowserContextOptions & { readonly name: string; readonly hash: string })[] = [
  { name: 'incident', hash: '', viewport: WIDE },
  { name: 'incident-dark', hash: '#open', viewport: WIDE, colorScheme: 'dark' },
  { name: 'incident-narrow', hash: '', viewport: { width: 400, height: 800 } },
]

/** Records the shop while its pool leaks connections, and takes pictures of the page that shows it. */
export async function takeScreenshots(): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'flog-docs-'))
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS })
  try {
    const address = await incidentPage(work)
    mkdirSync(TO, { recursive: true })
    for (const { name, hash, ...options } of SCREENSHOTS) {
      const picture = await screenshot(browser, `${address}${hash}`, options)
      writeFileSync(join(TO, `${name}.png`), inFewColours(picture))
    }
  } finally {
    await browser.close()
    rmSync(work, { recursive: true, force: true })
  }
}

async function screenshot(
  browser: Browser,
  address: string,
  options: BrowserContextOptions,
): Promise<Buffer> {
  const context = await browser.newContext({ timezoneId: 'UTC', ...options })
  try {
    const page = await context.newPage()
    await page.goto(address)
    await page.locator('#findings li').first().waitFor()
    // What was found takes room; the list is drawn anew in the frame after.
    await page.evaluate(
      'new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))',
    )
    return await page.screenshot()
  } finally {
    await context.close()
  }
}

/** @returns the address of a file that shows an incident of the shop */
async function incidentPage(work: string): Promise<string> {
  const wrong = writePage(ROOT, work)
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
  const incident = join(work, 'a.incident.flog.gz')
  const mark = { by: 'filter', at: 0, flog: '0.1.0' } as const
  await rewriteIncident(ofNoMachine(readIncidentFile(recorded(work))), incident, { mark })
  const html = join(work, 'incident.html')
  const page = loadPage(join(work, 'src/viewer/page.html'))
  writeFileSync(html, [...selfContainedHtml(page, [readFileSync(incident)])].join(''))
  return pathToFileURL(html).href
}

function recorded(work: string): string {
  const args = ['--import', 'tsx', 'fixtures/programs/shop.ts', work, '{"seed":1,"fault":"leaked-pool"}']
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' })
  if (status !== 0) throw new Error(`the shop could not be recorded:\n${stderr}`)
  return (JSON.parse(stdout) as { readonly path: string }).path
}

/** Names of the machine that took the pictures, and of its directories, are nobody's business. */
async function* ofNoMachine(parts: AsyncIterable<IncidentPart>): AsyncGenerator<IncidentPart, void> {
  const hiding = <T>(value: T): T => {
    const text = JSON.stringify(value).replaceAll(`${ROOT}/fixtures/programs/`, '/srv/shop/src/')
    return JSON.parse(text.replaceAll(`${ROOT}/`, '/srv/shop/')) as T
  }
  for await (const part of parts) {
    if (part.kind === 'header')
      yield { ...part, header: { ...hiding(part.header), host: 'web-1', pid: 4711 } }
    else if (part.kind === 'events')
      yield {
        ...part,
        events: part.events.map(({ event, mark }) => ({ event: hiding(event), ...(mark && { mark }) })),
      }
    else yield part
  }
}
