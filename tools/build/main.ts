import { build } from './build'

/** `npm run build`: exit code 1, and what the compiler says, when something in it is wrong. */
const { ok, report } = build(process.cwd())
if (!ok) {
  process.stderr.write(`${report}\n`)
  process.exitCode = 1
}
