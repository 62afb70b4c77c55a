import { readFileSync, writeFileSync } from 'node:fs'
import { ERROR_CODES } from '../../src/base/errors'
import { takeScreenshots } from './screenshots'

/**
 * `npm run docs`: writes into README.md what the code says. A test holds the two against each other.
 * `npm run docs -- screenshots`: takes its pictures anew; needs Chromium.
 */
const PAGE = 'README.md'
const TABLE = /(?<=^\| code \| meaning \|\n\| --- \| --- \|\n)(?:\|.*\|\n)*/m

const rows = Object.entries(ERROR_CODES).map(([code, meaning]) => `| \`${code}\` | ${meaning} |\n`)
writeFileSync(
  PAGE,
  readFileSync(PAGE, 'utf8').replace(TABLE, () => rows.join('')),
)
if (process.argv.includes('screenshots')) void takeScreenshots()
