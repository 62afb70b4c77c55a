import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { messageOf } from '../../src/base/errors'

interface Condition {
  readonly types: string
  readonly default: string
}

/** One key of `exports` in package.json that leads to code. */
export interface Entry {
  /** `.`, `./winston`, … */
  readonly name: string
  readonly import: Condition
  readonly require: Condition
}

/** The commands that package.json names: paths of files that are run. */
export function commandsOf(root: string): readonly string[] {
  return Object.values(packageOf(root).bin)
}

/** The entry points that package.json names. */
export function entriesOf(root: string): readonly Entry[] {
  return Object.entries(packageOf(root).exports).flatMap(([name, target]) =>
    typeof target === 'string' ? [] : [{ name, ...target }],
  )
}

/**
 * Writes, beside each compiled entry point, the ES module that hands out the same objects: a program that has both
 * `import` and `require` in it must get one recorder and one class of error.
 * @param dist directory that stands for `dist/`
 * @returns what is wrong: entry points that are missing, or that cannot be loaded
 */
export function writeEntries(root: string, dist: string): readonly string[] {
  return entriesOf(root).flatMap((entry) => {
    try {
      writeEntry(entry, dist)
      return []
    } catch (error) {
      return [`${entry.name} is in package.json, but cannot be loaded: ${messageOf(error)}`]
    }
  })
}

function writeEntry(entry: Entry, dist: string): void {
  const compiled = join(dist, withoutDist(entry.require.default))
  const names = Object.keys(require(compiled) as object).sort()
  const file = `./${basename(compiled)}`
  writeFileSync(join(dist, withoutDist(entry.import.default)), moduleText(file, names))
  writeFileSync(join(dist, withoutDist(entry.import.types)), `export * from '${file}'\n`)
}

interface Package {
  readonly bin: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, string | Omit<Entry, 'name'>>>
}

function packageOf(root: string): Package {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Package
}

/** A path of package.json, as seen from the directory that stands for `dist/`. */
export function withoutDist(path: string): string {
  return path.replace(/^(\.\/)?dist\//, '')
}

function moduleText(file: string, names: readonly string[]): string {
  return `import entry from '${file}'\n\nexport const {\n${names.map((name) => `  ${name},\n`).join('')}} = entry\n`
}
