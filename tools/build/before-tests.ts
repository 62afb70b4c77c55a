import { build } from './build'

/**
 * Run by jest before the first test: tests that start `flog`, or load the package, take it from `dist/`. Wrong types do not
 * keep tests from running; `npm test` and `npm run check` are where they count.
 */
export default function beforeTests(): void {
  const { ok, report } = build(process.cwd())
  if (!ok) process.stderr.write(`dist/ was built, but something is wrong in it:\n${report}\n`)
}
