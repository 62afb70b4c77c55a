import { Shapes } from '../../../src/query/stands-out/shape'

test('messages that differ in numbers, ids and what is quoted are of one shape', () => {
  const shapes = new Shapes()
  const one = shapes.numberOf('shop', 'order 17 of "Ann Lee" failed after 1.5s (id 8f3a-22)')
  expect(shapes.numberOf('shop', 'order 9 of "Bo" failed after 22s (id 0c1b-97)')).toBe(one)
  expect(shapes.numberOf('billing', 'order 17 of "Ann Lee" failed after 1.5s (id 8f3a-22)')).not.toBe(one)
  expect(shapes.list[one]).toEqual({
    facility: 'shop',
    message: 'order … of … failed after … (id …)',
    isConstant: false,
  })
})

test('templates are taken as they are', () => {
  const shapes = new Shapes()
  const number = shapes.numberOf('', 'order {orderId} took 2 attempts')
  expect(shapes.list[number]).toEqual({
    facility: '',
    message: 'order {orderId} took 2 attempts',
    isConstant: true,
  })
})

test("can't is no quote, and what never varies is constant", () => {
  const shapes = new Shapes()
  const number = shapes.numberOf('', "can't connect, won't retry")
  expect(shapes.list[number]).toMatchObject({ message: "can't connect, won't retry", isConstant: true })
})

test('long messages count by their beginning', () => {
  const shapes = new Shapes()
  const start = 'word '.repeat(100)
  expect(shapes.numberOf('', `${start}one`)).toBe(shapes.numberOf('', `${start}two`))
  expect(shapes.list).toHaveLength(1)
})
