import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const PAGE = 'src/viewer/page'

/**
 * Makes the viewer's page: one file that has its script and its style in it. What its server or an export put into it is
 * marked by comments; see `src/viewer/page-html.ts`.
 * @param dist directory that stands for `dist/`
 * @returns what is wrong
 */
export function writePage(root: string, dist: string): readonly string[] {
  const frame = join(root, PAGE, 'page.html')
  if (!existsSync(frame)) return []
  const script = bundled(root, `${PAGE}/main.ts`, ['--format=iife', '--legal-comments=eof'])
  const style = bundled(root, `${PAGE}/style.css`, [])
  if ('wrong' in script) return [script.wrong]
  if ('wrong' in style) return [style.wrong]
  const path = join(dist, 'src/viewer/page.html')
  mkdirSync(dirname(path), { recursive: true })
  const html = readFileSync(frame, 'utf8')
    .replace('/* flog:style */', () => style.text.trim())
    .replace('/* flog:script */', () => endingNoElement(script.text.trim()))
  writeFileSync(path, html)
  return []
}

/** A script in a page ends where the page says so, even inside a text. */
function endingNoElement(script: string): string {
  return script.replace(/<(?=\/script|!--)/gi, '\\x3C')
}

function bundled(
  root: string,
  entry: string,
  args: readonly string[],
): { readonly text: string } | { readonly wrong: string } {
  const esbuild = join(root, 'node_modules/esbuild/bin/esbuild')
  const common = ['--bundle', '--minify', '--target=es2023', '--charset=utf8', '--log-level=warning']
  const { status, stdout, stderr, error } = spawnSync(esbuild, [entry, ...common, ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  if (error !== undefined) throw error
  if (status === 0) return { text: stdout }
  return { wrong: `${entry} cannot be bundled:\n${stderr.trim()}` }
}
