import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The page as the build makes it, and what its policy has to allow. */
export interface Page {
  readonly html: string
  /** `sha256-…` of its one script and its one style. */
  readonly script: string
  readonly style: string
}

const POLICY_PLACE = '<!-- flog:policy -->'
const RECORDING_PLACE = '<!-- flog:recording -->'

/** @param path of the page's file; default: the one that the build put beside this module */
export function loadPage(path = join(__dirname, 'page.html')): Page {
  const html = readFileSync(path, 'utf8')
  return { html, script: hashOf(html, 'script'), style: hashOf(html, 'style') }
}

/**
 * What the page may do: run its own script, which starts a second thread of itself, and ask its own server. Nothing comes
 * from elsewhere, and no text can become markup (`require-trusted-types-for`).
 */
export function policyOf(page: Page, connect: "'self'" | "'none'"): string {
  return [
    "default-src 'none'",
    `script-src '${page.script}'`,
    `style-src '${page.style}'`,
    `connect-src ${connect}`,
    'worker-src blob:',
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types lit-html flog-worker',
  ].join('; ')
}

/** The page for a server, which sends the policy as a header. */
export function servedHtml({ html }: Page): string {
  return html.replace(POLICY_PLACE, '').replace(RECORDING_PLACE, '')
}

/**
 * One file with page and incident in it, in pieces: works from a disk, asks nobody for anything.
 * @param recording bytes of an incident file, plain or compressed
 */
export function* selfContainedHtml(page: Page, recording: Iterable<Uint8Array>): Generator<string, void> {
  const [before = '', behind = ''] = page.html.split(RECORDING_PLACE)
  yield before.replace(
    POLICY_PLACE,
    `<meta http-equiv="Content-Security-Policy" content="${policyOf(page, "'none'")}">`,
  )
  yield '<script type="application/octet-stream" id="flog-recording">'
  yield* base64(recording)
  yield '</script>'
  yield behind
}

/** Three bytes make four characters: what is left of a piece goes with the next one. */
function* base64(pieces: Iterable<Uint8Array>): Generator<string, void> {
  let left = Buffer.alloc(0)
  for (const piece of pieces) {
    const bytes = Buffer.concat([left, piece])
    const whole = bytes.length - (bytes.length % 3)
    yield bytes.toString('base64', 0, whole)
    left = bytes.subarray(whole)
  }
  yield left.toString('base64')
}

function hashOf(html: string, name: 'script' | 'style'): string {
  const open = `<${name}>`
  const from = html.indexOf(open) + open.length
  const text = html.slice(from, html.indexOf(`</${name}>`, from))
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
