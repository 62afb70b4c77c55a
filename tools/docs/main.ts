import { readFileSync, writeFileSync } from 'node:fs'
import { ERROR_CODES } from '../../src/base/errors'

/** `npm run docs`: writes into README.md what the code says. A test holds the two against each other. */
const PAGE = 'README.md'
const TABLE = /(?<=^\| code \| meaning \|\n\| --- \| --- \|\n)(?:\|.*\|\n)*/m

const rows = Object.entries(ERROR_CODES).map(([code, meaning]) => `| \`${code}\` | ${meaning} |\n`)
writeFileSync(
  PAGE,
  readFileSync(PAGE, 'utf8').replace(TABLE, () => rows.join('')),
)
