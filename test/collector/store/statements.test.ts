import { MIGRATIONS } from '../../../src/collector/store/migrations'
import { statementsOf } from '../../../src/collector/store/statements'

test('a script is taken apart at its semicolons, but for those in texts and comments', () => {
  const script = `
    CREATE TABLE a (n integer -- one; two
    );
    INSERT INTO a VALUES (1-2, 'x;''-- y;');;
    -- the end; of it
    SELECT 3`
  expect(statementsOf(script).map((statement) => statement.replace(/\s+/g, ' '))).toEqual([
    'CREATE TABLE a (n integer )',
    `INSERT INTO a VALUES (1-2, 'x;''-- y;')`,
    'SELECT 3',
  ])
  expect(statementsOf(' -- nothing\n;')).toEqual([])
})

test('migrations have nothing in them that cannot be taken apart', () => {
  expect(MIGRATIONS.filter(({ sql }) => /\$\w*\$|\/\*/.test(sql))).toEqual([])
  for (const { sql } of MIGRATIONS) {
    for (const statement of statementsOf(sql))
      expect(statement).toMatch(/^(CREATE|ALTER|DROP|UPDATE|INSERT|DELETE) /)
  }
})
