import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { plainFileName } from '../../src/incident/name'
import { createRecorder } from '../../src/recorder/recorder'
import { writeBusyIncident } from '../../tools/bench/busy-incident'
import { Flog, flog } from '../tools/flog/command'
import { Published } from '../tools/flog/published'
import { describeInBrowser, matches, ready } from './chromium'

const FOOLSCAP = join(
  __dirname,
  '../../fixtures/foolscap/incident-weirdargs/incident-2026-11-21--20-34-25Z-e64rbnq.flog.bz2',
)
const HOUR_US = 3600e6
const AT = Date.UTC(2026, 10, 21, 20, 31, 5, 123) * 1000

describeInBrowser('flog view', (rig) => {
  const running: Flog[] = []
  afterEach(async () => {
    for (const one of running.splice(0)) {
      one.kill('SIGTERM')
      await one.ended
    }
  })

  async function view(target: string): Promise<string> {
    const command = new Flog(['view', '--no-open', target])
    running.push(command)
    const [address] = await command.until(/http:\/\/127\.0\.0\.1:\d+\/\?token=[\da-f]+/)
    return address
  }

  async function write(number: number): Promise<string> {
    const id = `5a0bf00dcafe0001-${number}`
    const at = AT + number * HOUR_US
    const path = join(rig.directory, `${plainFileName(at, id)}.gz`)
    await writeBusyIncident(path, { events: 300 * number, id, at })
    return path
  }

  test('a directory: choose an incident, compare it with the previous one of its kind', async () => {
    await write(1)
    await write(2)
    const page = await rig.page()
    await page.goto(await view(rig.directory))
    await page.locator('#picker button').first().waitFor()
    await page.setViewportSize({ width: 400, height: 800 })
    expect((await page.locator('#picker tbody tr').first().boundingBox())?.height).toBeLessThan(60)
    expect(await page.evaluate('document.querySelector("#picker").scrollWidth')).toBeLessThanOrEqual(400)
    await page.setViewportSize({ width: 1280, height: 800 })
    await page.locator('#picker button').first().click()
    await ready(page)
    expect(page.url()).not.toContain('token')
    expect(page.url()).toContain('#incident=5a0bf00dcafe0001-2')
    expect(await page.locator('#head .group').textContent()).toContain('group ×2')
    await page.keyboard.press('c')
    await page.locator('#over table, #over p:not(.dim)').first().waitFor()
    await page.keyboard.press('Escape')
    await page.goBack()
    await page.locator('#picker button').first().waitFor()
    expect(rig.complaints).toEqual([])
  })

  test('one file: it is shown at once', async () => {
    const path = await write(3)
    const page = await rig.page()
    await page.goto(await view(path))
    await matches(page, /^900$/)
    expect(await page.locator('#head h1').textContent()).toMatch(/^payment \d+ failed$/)
  })

  test('a running process: what it holds, then what it logs', async () => {
    const recorder = createRecorder({ service: 'shop', directory: join(rig.directory, 'live') })
    recorder.info('before {n}', { n: 1 })
    const { logportFile } = await recorder.publish()
    try {
      const page = await rig.page()
      await page.goto(await view(logportFile))
      await page.locator('.row', { hasText: 'before 1' }).waitFor()
      recorder.error('after <b>{n}</b>', { n: 2 })
      await page.locator('.row', { hasText: 'after <b>2</b>' }).waitFor()
      expect(await page.locator('#banner').textContent()).toContain('following')
    } finally {
      await recorder.close()
    }
  })

  test('a process that is gone, and comes back: since when, and what it logs then', async () => {
    const directory = join(rig.directory, 'restarted')
    const first = await new Published(directory).start()
    await first.log('of the first')
    const page = await rig.page()
    await page.goto(await view(first.logport))
    await page.locator('.row', { hasText: 'of the first' }).waitFor()
    await first.kill()
    await page.locator('#banner', { hasText: /connection lost at \d\d:\d\d:\d\d/ }).waitFor()
    const port = /:(\d+)\/#/.exec(first.logport)?.[1] ?? ''
    const second = await new Published(directory, ['--port', port]).start()
    await second.log('of the second')
    await page.locator('.row', { hasText: 'of the second' }).waitFor()
    expect(await page.locator('#banner').textContent()).toMatch(/following – the process began anew at/)
    expect(await page.locator('.row:not([hidden])', { hasText: 'of the first' }).count()).toBe(0)
    await second.end()
  })

  test('an export as HTML: one file, which shows the incident by itself', async () => {
    const html = join(rig.directory, 'ticket.html')
    expect(await flog(['export', await write(3), '-F', 'html', '-o', html])).toMatchObject({ code: 0 })
    const page = await rig.page()
    await page.goto(pathToFileURL(html).href)
    await matches(page, /^900$/)
    expect(rig.complaints).toEqual([])
  })

  test('a log of Foolscap', async () => {
    const page = await rig.page()
    await page.goto(await view(FOOLSCAP))
    await ready(page)
    expect(await page.locator('#head h1').textContent()).toMatch(/./)
    expect(await page.locator('.row:not([hidden])').count()).toBeGreaterThan(1)
  })

  test('it ends in order when it is told to', async () => {
    const command = new Flog(['view', '--no-open', await write(1)])
    await command.until(/token=/)
    command.kill('SIGINT')
    expect(await command.ended).toMatchObject({ stderr: expect.stringContaining('Ctrl-C ends') })
    expect((await flog(['view', 'a', 'b'])).code).toBe(2)
  })
})
