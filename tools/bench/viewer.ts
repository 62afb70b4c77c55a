import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { loadPage, selfContainedHtml } from '../../src/viewer/page-html'
import { writeBusyIncident } from './busy-incident'
import { type Result, result, round } from './measure'

const CHROMIUM = '/usr/bin/chromium'
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run']
const EVENTS = 200_000
const SCROLLS = 120

/** Runs in the page, before anything of it: notes tasks of more than 50 ms, as the browser reports them. */
const WATCH = `globalThis.long = []
new PerformanceObserver((list) => { for (const entry of list.getEntries()) long.push(entry.duration) })
  .observe({ type: 'longtask', buffered: true })`

/**
 * An incident of 200,000 events in a real browser: seconds until it is read to its end and stands at its trigger; the longest
 * task while it is read, and while it is scrolled through from one end to the other.
 */
export async function viewer(quick: boolean): Promise<readonly Result[]> {
  if (!existsSync(CHROMIUM)) throw new Error(`there is no ${CHROMIUM} to measure in`)
  const { chromium } = require('playwright-core') as typeof import('playwright-core')
  const directory = mkdtempSync(join(tmpdir(), 'flog-bench-'))
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS })
  try {
    const file = join(directory, 'a.incident.flog.gz')
    await writeBusyIncident(file, { events: EVENTS })
    const html = join(directory, 'incident.html')
    writeFileSync(html, [...selfContainedHtml(loadPage(pagePath()), [readFileSync(file)])].join(''))
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
    await page.addInitScript(WATCH)
    const began = performance.now()
    await page.goto(pathToFileURL(html).href)
    await page.locator('.matches', { hasText: /^200,000/ }).waitFor()
    const seconds = (performance.now() - began) / 1000
    const whileReading = await longest(page.evaluate('long'))
    await page.evaluate('long.length = 0')
    await page.evaluate(scrolling(quick ? SCROLLS / 4 : SCROLLS))
    const whileScrolling = await longest(page.evaluate('long'))
    const figures = { events: EVENTS, 'longest task while reading ms': whileReading }
    return [
      result('viewer opens', seconds, 2, { unit: 's', figures }),
      result('viewer scrolls', whileScrolling, 50, { unit: 'ms', figures: { steps: SCROLLS } }),
    ]
  } finally {
    await browser.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The build's page lies beside the modules that it made; those that are run from the sources have it in `dist/`. */
function pagePath(): string | undefined {
  const built = join(__dirname, '../../dist/src/viewer/page.html')
  return existsSync(built) ? built : undefined
}

function scrolling(steps: number): string {
  return `(async () => {
    const list = document.querySelector('#list')
    for (let step = 0; step <= ${steps}; step++) {
      list.scrollTop = (step / ${steps}) * list.scrollHeight
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
    }
  })()`
}

/** Shorter ones than 50 ms are not reported: 0. */
async function longest(tasks: Promise<unknown>): Promise<number> {
  return round(Math.max(0, ...((await tasks) as readonly number[])))
}
