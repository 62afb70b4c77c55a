import { FlogError } from '../../src/base/errors'
import { type Classifier, Classifiers, categoriesIn, functionClassifier } from '../../src/query/classify'
import { eventAt, recordingOf } from './rules/recordings'

const RECORDING = recordingOf(eventAt(0, 'trigger'))

test('categories are gathered from all, sorted, each once, with who said so', () => {
  const classifiers = new Classifiers(
    [
      functionClassifier('one', () => ['b', 'a']),
      functionClassifier('two', () => 'b'),
      functionClassifier('three', () => undefined),
      functionClassifier('four', () => null),
    ],
    () => undefined,
  )
  const { categories, by } = classifiers.classify(RECORDING)
  expect(categories).toEqual(['a', 'b'])
  expect([...by]).toEqual([
    ['b', ['one', 'two']],
    ['a', ['one']],
  ])
})

test('a classifier is given header, trailer and events', () => {
  const seen: unknown[] = []
  const classifier = functionClassifier('x', (recording) => {
    seen.push(recording)
    return []
  })
  new Classifiers([classifier], () => undefined).classify(RECORDING)
  expect(seen).toEqual([RECORDING])
})

test('one that throws is told once, the others go on, and the answers do not depend on the order', () => {
  const told: [string, string][] = []
  const moody = functionClassifier('moody', ({ events }) => {
    if (events.length > 1) throw new Error('too many')
    return 'fine'
  })
  const classifiers = new Classifiers([moody, functionClassifier('other', () => 'x')], (error, { place }) =>
    told.push([place, `${error.code} ${error.message}`]),
  )
  const long = recordingOf(eventAt(0, 'trigger'), [eventAt(-1, 'before')])
  const answers = [RECORDING, long, long, RECORDING].map((each) => classifiers.classify(each).categories)
  expect(answers).toEqual([['fine', 'x'], ['x'], ['x'], ['fine', 'x']])
  expect(told).toEqual([['moody', 'FLOG_CLASSIFIER_FAILED it threw: too many']])
})

test.each([
  [7, /value of type number/],
  [['a', undefined], /got undefined/],
  [[['a']], /got a list/],
  [Promise.resolve('a'), /a promise: a classifier answers at once/],
  ['', /1 to 100 characters/],
  ['x'.repeat(101), /1 to 100 characters/],
  ['a,b', /comma/],
  ['a\nb', /line break/],
  ['unknown', /nobody knows/],
])('%p is no category', (given, message) => {
  const classifier: Classifier = { place: 'x', classify: () => categoriesIn(given) }
  const told: FlogError[] = []
  const { categories } = new Classifiers([classifier], (error) => told.push(error)).classify(RECORDING)
  expect(categories).toEqual([])
  expect(told.map(({ message }) => message)).toEqual([expect.stringMatching(message)])
  expect(FlogError.is(told[0], 'FLOG_CLASSIFIER_FAILED')).toBe(true)
})
