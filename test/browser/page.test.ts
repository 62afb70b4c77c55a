import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { describeInBrowser, matches, ready } from './chromium'

const INCIDENTS = join(__dirname, '../../fixtures/incident/v1')
const SMALL = { events: 2000 }

const HOSTILE = [
  '<script>window.ran = true</script>',
  '"><img src=x onerror="window.ran = true">',
  '</script><script>window.ran = true</script>',
  '\u001b[2J\u001b[31mred\u001b]0;title\u0007\u001b]8;;http://x\u0007link',
  '\u202egnp.exe \u200b \u0000',
  'javascript:window.ran=true',
  '{constructor} {__proto__} %s {{x}}',
]

describeInBrowser('the page of an incident, from a file', (rig) => {
  test('says what broke, stands at the trigger, and asks nobody for anything', async () => {
    const page = await rig.page()
    const requests: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    const address = await rig.writeExport(SMALL)
    await page.goto(address)
    await ready(page)
    expect(await page.locator('#head h1').textContent()).toBe('payment 225 failed')
    expect(await page.locator('#head').textContent()).toContain('shop 1.4.2 · checkout-7f9c')
    expect(await selected(page)).toMatch(
      /^0\.000errorpayment▼ trigger.*TimeoutError.*Pool\.take \(pool\.js:88\)/,
    )
    expect(await page.locator('#bands').textContent()).toMatch(/error.*warn.*info.*debug/s)
    await page.locator('#findings li').first().waitFor()
    expect(requests.filter((url) => !url.startsWith('blob:'))).toEqual([address])
    expect(rig.complaints).toEqual([])
  })

  test('logged text is only ever text: markup does nothing, control characters are shown', async () => {
    const page = await rig.openExport({ ...SMALL, hostile: HOSTILE }, { hash: '#open' })
    await page.locator('#findings li').first().waitFor()
    for (const key of ['j', 'j', 'k', 'End', 'Home', 'r', 'x', '?']) await page.keyboard.press(key)
    expect(await page.evaluate('globalThis.ran')).toBeUndefined()
    expect(await page.locator('#app img, #app script, #app a').count()).toBe(0)
    await page.keyboard.press('Escape')
    await write(page, '"[31mred"')
    await matches(page, /^[1-9]/)
    const shown = (await page.locator('#app').textContent()) ?? ''
    expect(shown).toContain('\\u001b[31mred')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(shown).not.toMatch(/[\u0000\u0007\u001b\u202e\u200b]/)
    expect(rig.complaints).toEqual([])
  })

  test('the filter line narrows list and timeline, and says what is wrong with it', async () => {
    const page = await rig.openExport(SMALL)
    await write(page, 'facility:db.pool wait>1000')
    await matches(page, /^\d+ of 2,000$/)
    await drawn(page)
    expect(new Set(await page.locator('.row:not([hidden]) .fac').allTextContents())).toEqual(
      new Set(['db.pool']),
    )
    const line = page.locator('.row.behind-trigger')
    expect(await line.count()).toBe(1)
    expect(await line.locator('.time').textContent()).toMatch(/^\+/)
    await write(page, 'severity:')
    expect(await page.locator('#wrong').textContent()).toMatch(/severity/)
    expect(await page.locator('#filter').getAttribute('aria-invalid')).toBe('true')
    await matches(page, /^\d+ of 2,000$/)
    await page.locator('#clear').click()
    await matches(page, /^2,000$/)
    expect(await page.locator('#filter').inputValue()).toBe('')
  })

  test('a shared filter that cannot be read hides nothing', async () => {
    const page = await rig.openExport(SMALL, { hash: '#filter=severity%3A' })
    await matches(page, /^2,000$/)
    expect(await selected(page)).toContain('▼ trigger')
    expect(await page.locator('#wrong').textContent()).toMatch(/severity/)
  })

  test('lines fill the list to its edge, wherever it stands', async () => {
    const page = await rig.openExport(SMALL)
    await page.locator('#findings li').first().waitFor()
    await page.evaluate("document.querySelector('#list').scrollTop = 1010")
    await drawn(page)
    const box = await page.locator('#list').boundingBox()
    if (box === null) throw new Error('there is no list')
    const at = (y: number) => `document.elementFromPoint(200, ${y}).closest('.row') !== null`
    expect(await page.evaluate(at(box.y + 2))).toBe(true)
    expect(await page.evaluate(at(box.y + box.height - 2))).toBe(true)
  })

  test('where nothing matches it says which term to leave out', async () => {
    const page = await rig.openExport(SMALL, { hash: '#filter=facility%3Adb.pool+wait%3E999999' })
    await page.locator('#empty button').click()
    await matches(page, /^\d+ of 2,000$/)
    expect(await page.locator('#filter').inputValue()).toBe('facility:db.pool')
  })

  test('severities and values add themselves to the filter', async () => {
    const page = await rig.openExport(SMALL, { hash: '#open' })
    await page.locator('#detail dl.fields button', { hasText: 'EUR' }).click()
    await page.locator('#bands button', { hasText: 'error' }).click()
    expect(await page.locator('#filter').inputValue()).toBe('currency=EUR severity:error')
  })

  test('what is being written is completed with names that occur', async () => {
    const page = await rig.openExport(SMALL)
    await page.locator('#list:focus').waitFor()
    await page.locator('#filter').fill('')
    await page.locator('#filter').pressSequentially('facility:db')
    await page.locator('#suggestions li', { hasText: 'facility:db.pool' }).waitFor()
    await page.keyboard.press('Tab')
    expect(await page.locator('#filter').inputValue()).toBe('facility:db.pool ')
  })

  test('keys: move, open, errors, trigger, trace, tree, help', async () => {
    const page = await rig.openExport(SMALL)
    await page.keyboard.press('j')
    expect(await selected(page)).toMatch(/^\+?0\.0/)
    await page.keyboard.press('e')
    expect(await selected(page)).toContain('▽ further')
    await page.keyboard.press('E')
    expect(await selected(page)).toContain('▼ trigger')
    await page.keyboard.press('Enter')
    expect(await page.locator('#detail .error-head').first().textContent()).toContain(
      'TimeoutError: no connection',
    )
    await page.keyboard.press('Enter')
    expect(await page.locator('#detail').isHidden()).toBe(true)
    await page.keyboard.press('Home')
    await page.keyboard.press('t')
    expect(await selected(page)).toContain('▼ trigger')
    await page.keyboard.press('x')
    await matches(page, /^8 of 2,000$/)
    await page.keyboard.press('r')
    await page.locator('.row .indent').first().waitFor()
    await page.keyboard.press('x')
    await matches(page, /^2,000$/)
    await page.keyboard.press('?')
    expect(await page.locator('#over').textContent()).toContain('next error')
    await page.keyboard.press('Escape')
    expect(await page.locator('#over').isHidden()).toBe(true)
  })

  test('in a tree what is below an event can be hidden, and comes back where somebody goes there', async () => {
    const page = await rig.openExport(SMALL)
    await page.keyboard.press('x')
    await matches(page, /^8 of 2,000$/)
    await page.keyboard.press('r')
    const rows = page.locator('.row:not([hidden])')
    await page.locator('#list[role=treegrid] .row[aria-level="2"]').first().waitFor()
    expect(await rows.count()).toBe(8)
    await page.keyboard.press('H')
    await page.locator('.row .branch', { hasText: '▸ 7' }).waitFor()
    expect(await rows.count()).toBe(1)
    expect(await rows.first().getAttribute('aria-expanded')).toBe('false')
    expect(await violations(page)).toEqual([])
    await page.locator('.row .branch').click()
    await page.locator('.row .branch', { hasText: '▾' }).first().waitFor()
    expect(await rows.count()).toBe(8)
    await page.keyboard.press('l')
    const child = page.locator('.row[aria-selected=true][aria-level="2"]')
    await child.waitFor()
    await page.locator('.row .branch').first().click()
    await page.locator('.row[aria-selected=true][aria-expanded=false]').waitFor()
    for (const key of ['l', 'l']) {
      await page.keyboard.press(key)
      await drawn(page)
    }
    await child.waitFor()
    const { hash } = new URL(page.url())
    for (const key of ['h', 'h']) await page.keyboard.press(key)
    await page.locator('.row .branch', { hasText: '▸ 7' }).waitFor()
    await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
    await child.waitFor()
    expect(rig.complaints).toEqual([])
  })

  test('brushing the timeline zooms, and double-clicking it shows all again', async () => {
    const page = await rig.openExport(SMALL)
    const box = await page.locator('#timeline').boundingBox()
    if (box === null) throw new Error('there is no timeline')
    await page.mouse.move(box.x + 300, box.y + 60)
    await page.mouse.down()
    await page.mouse.move(box.x + 500, box.y + 60)
    await page.mouse.up()
    await page.waitForURL(/zoom=\d+\.\.\d+/)
    await page.mouse.dblclick(box.x + 100, box.y + 60)
    await page.waitForURL((url) => !url.hash.includes('zoom='))
  })

  test('a view has an address that brings it back', async () => {
    const page = await rig.openExport(SMALL)
    await write(page, 'facility:db.pool')
    await matches(page, /^\d+ of 2,000$/)
    for (const key of ['Home', 'j', 'j', 'Enter', 'u', 'u']) await page.keyboard.press(key)
    const before = await state(page)
    expect(before.hash).toMatch(/filter=facility%3Adb\.pool&seq=\d+&time=utc&open$/)
    await page.reload()
    await ready(page)
    await page.locator('#detail h2').waitFor()
    expect(await state(page)).toEqual(before)
  })

  test.each(['light', 'dark'] as const)('axe finds nothing wrong in the %s theme', async (colorScheme) => {
    const page = await rig.openExport(SMALL, { colorScheme, hash: '#open' })
    await page.locator('#findings li').first().waitFor()
    for (const prepare of [async () => undefined, () => page.keyboard.press('?'), () => write(page, 'fac')]) {
      await prepare()
      expect(await violations(page)).toEqual([])
      await page.keyboard.press('Escape')
    }
  })

  test('at 400 px severities stay, facilities join the message, details become a sheet', async () => {
    const page = await rig.openExport(SMALL, { viewport: { width: 400, height: 800 }, hash: '#open' })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(400)
    expect(await page.locator('.row .fac').first().isVisible()).toBe(false)
    expect(await page.locator('.row:not([hidden]) .sev').first().isVisible()).toBe(true)
    expect(await page.locator('#detail').boundingBox()).toMatchObject({ x: 0, width: 400 })
    expect(await violations(page)).toEqual([])
  })

  test('at 400 px three findings are shown, and more are a click away; times of the clock have room', async () => {
    const page = await rig.openExport(SMALL, { viewport: { width: 400, height: 800 } })
    const findings = page.locator('#findings li')
    await findings.first().waitFor()
    const all = await findings.count()
    expect(all).toBeGreaterThan(3)
    expect(await findings.filter({ visible: true }).count()).toBe(3)
    await page.locator('#findings .more').click()
    expect(await findings.filter({ visible: true }).count()).toBe(all)
    await page.keyboard.press('u')
    await drawn(page)
    const time = "document.querySelector('.row .time')"
    expect(await page.evaluate(`${time}.scrollWidth <= ${time}.clientWidth`)).toBe(true)
  })

  test.each([
    ['cut-in-block.incident.flog', /the file ends early.*saved/],
    ['damaged-block.incident.flog', /a part of the file is damaged.*saved/],
    ['open.incident.flog', /still recording when this copy was made/],
  ])('%s: the page says what is wrong', async (name, expected) => {
    const page = await rig.page()
    await page.goto(rig.writeHtml(readFileSync(join(INCIDENTS, name))))
    await page.locator('#banner p').waitFor()
    expect(await page.locator('#banner').textContent()).toMatch(expected)
    expect(rig.complaints).toEqual([])
  })

  test.each([
    ['newer-major.incident.flog', /format 2\.0.*update it/],
    ['foreign-html.incident.flog', /not an incident file/],
  ])('%s: where nothing can be read the page says why, and no more', async (name, expected) => {
    const page = await rig.page()
    await page.goto(rig.writeHtml(readFileSync(join(INCIDENTS, name))))
    await page.locator('#banner p').waitFor()
    expect(await page.locator('#banner').textContent()).toMatch(expected)
    expect(await page.locator('#incident').isHidden()).toBe(true)
    expect(rig.complaints).toEqual([])
  })

  test('where the header is lost the trigger is still known by its mark', async () => {
    const page = await rig.page()
    await page.goto(rig.writeHtml(readFileSync(join(INCIDENTS, 'damaged-header.incident.flog'))))
    await ready(page)
    expect(await selected(page)).toMatch(/^0\.000error.*▼ trigger/)
  })

  test('what another program packed is read too', async () => {
    const page = await rig.page()
    await page.goto(rig.writeHtml(readFileSync(join(INCIDENTS, 'repacked.incident.flog.gz'))))
    await ready(page)
    expect(await page.locator('.row:not([hidden])').count()).toBeGreaterThan(1)
  })
})

async function write(page: Page, filter: string): Promise<void> {
  await page.locator('#filter').fill(filter)
  await page.keyboard.press('Enter')
}

async function selected(page: Page): Promise<string> {
  await drawn(page)
  return (await page.locator('.row[aria-selected=true]').textContent()) ?? ''
}

async function state(page: Page) {
  return {
    hash: new URL(page.url()).hash,
    selected: await selected(page),
    detail: await page.locator('#detail h2').textContent(),
    filter: await page.locator('#filter').inputValue(),
  }
}

async function violations(page: Page): Promise<unknown> {
  await page.evaluate(axe.source)
  return page.evaluate(`axe.run().then(({ violations }) =>
    violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html.slice(0, 200)) })))`)
}

/** Resolves when what was asked for before is on the screen. */
async function drawn(page: Page): Promise<void> {
  await page.evaluate('new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))')
}
