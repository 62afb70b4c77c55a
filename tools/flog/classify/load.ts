import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, extname, resolve } from 'node:path'
import { messageOf, systemCode } from '../../../src/base/errors'
import { type Classifier, type ClassifierFunction, functionClassifier } from '../../../src/query/classify'
import { parseRules } from '../../../src/query/rules/rules'
import { UsageError } from '../failure'

/** A file of rules, a rule, or a module that cannot be used. */
export interface BrokenClassifier {
  /** File, and line where one is known. */
  readonly place: string
  readonly message: string
}

export interface LoadedClassifiers {
  readonly classifiers: readonly Classifier[]
  readonly broken: readonly BrokenClassifier[]
}

const RULES: ReadonlySet<string> = new Set(['.yaml', '.yml', '.json'])
const MODULES: ReadonlySet<string> = new Set(['.js', '.cjs', '.mjs'])

/**
 * What `--rules` was given, by the names of the files: rules, and what else stood behind it. An option that takes several
 * values takes all that follow, so in `--rules a.yaml DIR` also the directory.
 * @throws UsageError where something was given and none of it is rules
 */
export function splitRules(given: readonly string[]): {
  readonly rules: readonly string[]
  readonly others: readonly string[]
} {
  const rules = given.filter(isClassifierFile)
  if (given.length > 0 && rules.length === 0) {
    const suffixes = [...RULES, ...MODULES].join(', ')
    throw new UsageError(
      `--rules ${given[0]}: that is no file of rules`,
      `the names of those end in ${suffixes}`,
    )
  }
  return { rules, others: given.filter((path) => !isClassifierFile(path)) }
}

function isClassifierFile(path: string): boolean {
  const suffix = extname(path)
  return RULES.has(suffix) || MODULES.has(suffix)
}

/** Loads files of rules, and modules. What cannot be used is told, and keeps nothing else from being used. Never throws. */
export async function loadClassifiers(paths: readonly string[]): Promise<LoadedClassifiers> {
  const loaded = await Promise.all(paths.map(loadFile))
  return {
    classifiers: loaded.flatMap(({ classifiers }) => classifiers),
    broken: loaded.flatMap(({ broken }) => broken),
  }
}

async function loadFile(path: string): Promise<LoadedClassifiers> {
  try {
    if (RULES.has(extname(path))) return loadRules(path, await readFile(path, 'utf8'))
    return { classifiers: [loadModule(path)], broken: [] }
  } catch (error) {
    return broken(
      `${path}${lineOf(path, error)}`,
      existsSync(path) ? reasonOf(error) : 'there is no such file',
    )
  }
}

function loadRules(path: string, text: string): LoadedClassifiers {
  const { readYaml } = require('./yaml') as typeof import('./yaml')
  const yaml = readYaml(text)
  if ('message' in yaml) return broken(`${path}:${yaml.line}`, yaml.message)
  const placeOf = (at: readonly (string | number)[]): string => `${path}:${yaml.lineOf(at)}`
  const { classifiers, problems } = parseRules(yaml.data, placeOf)
  return {
    classifiers,
    broken: problems.map((problem) => ({ place: placeOf(problem.path), message: problem.message })),
  }
}

function loadModule(path: string): Classifier {
  const answer = functionIn(require(resolve(path)) as unknown)
  if (answer === undefined)
    throw new Error('a module that classifies exports a function: (recording) => categories')
  return functionClassifier(path, answer)
}

/** CommonJS exports the function itself, ES modules and what is compiled from them as `default`. */
function functionIn(exported: unknown): ClassifierFunction | undefined {
  if (typeof exported === 'function') return exported as ClassifierFunction
  if (typeof exported !== 'object' || exported === null || !('default' in exported)) return undefined
  return functionIn(exported.default)
}

/** Where in a file of ours an error came up: `:12`, by the first line of its stack that names the file. */
export function lineOf(path: string, error: unknown): string {
  const stack = error instanceof Error ? error.stack : undefined
  const named = stack?.split(/[\s(]/).find((word) => word.includes(basename(path)) && /:\d+/.test(word))
  const [, line] = /:(\d+)(?::\d+)?\)?$/.exec(named ?? '') ?? []
  return line === undefined ? '' : `:${line}`
}

function reasonOf(error: unknown): string {
  switch (systemCode(error)) {
    case 'ERR_REQUIRE_ASYNC_MODULE':
      return 'a module that classifies has no await outside of functions'
    default:
      return messageOf(error)
  }
}

function broken(place: string, message: string): LoadedClassifiers {
  const [line = ''] = message.split('\n')
  return { classifiers: [], broken: [{ place, message: line }] }
}
