import { FlogError, messageOf } from '../base/errors'
import type { Recording } from './recording'

/** Says what kind of incident it is that it is shown. */
export interface Classifier {
  /** For messages: the file that it stands in, and the line where one is known. */
  readonly place: string
  /** Categories of the incident, none where it does not know it. May throw. */
  classify(recording: Recording): readonly string[]
}

/** What a module gives that classifies: a function, as its default export or as all that it exports. */
export type ClassifierFunction = (recording: Recording) => string | readonly string[] | null | undefined

export interface Classification {
  /** Sorted, each once. Empty: nobody knows the incident. */
  readonly categories: readonly string[]
  /** Who said so, for each category: places of classifiers. */
  readonly by: ReadonlyMap<string, readonly string[]>
}

/** Category of incidents that no classifier knows; none may give it. */
export const UNKNOWN = 'unknown'
const MAX_CATEGORY_CHARS = 100

/**
 * Several classifiers. One that throws has nothing to say of that incident and is told once, with its first error; the
 * others go on, and it is asked again for the next incident, so that the answers do not depend on the order of the files.
 */
export class Classifiers {
  readonly #classifiers: readonly Classifier[]
  readonly #onBroken: (error: FlogError, classifier: Classifier) => void
  readonly #broken = new Set<Classifier>()

  /** @param onBroken is given FLOG_CLASSIFIER_FAILED; called once for a classifier */
  constructor(
    classifiers: readonly Classifier[],
    onBroken: (error: FlogError, classifier: Classifier) => void,
  ) {
    this.#classifiers = classifiers
    this.#onBroken = onBroken
  }

  /** Never throws. */
  classify(recording: Recording): Classification {
    const by = new Map<string, string[]>()
    for (const classifier of this.#classifiers) {
      for (const category of this.#ask(classifier, recording)) {
        const places = by.get(category)
        if (places === undefined) by.set(category, [classifier.place])
        else if (!places.includes(classifier.place)) places.push(classifier.place)
      }
    }
    return { categories: [...by.keys()].sort(), by }
  }

  #ask(classifier: Classifier, recording: Recording): readonly string[] {
    try {
      return classifier.classify(recording)
    } catch (error) {
      if (!this.#broken.has(classifier)) this.#onBroken(failed(error), classifier)
      this.#broken.add(classifier)
      return []
    }
  }
}

/** A classifier that asks a function, and holds what it says against the rules for categories. */
export function functionClassifier(place: string, answer: ClassifierFunction): Classifier {
  return { place, classify: (recording) => categoriesIn(answer(recording)) }
}

/**
 * The categories that something names: a text, a list of texts, or nothing.
 * @throws FlogError FLOG_CLASSIFIER_FAILED for anything else, and for what cannot be a category
 */
export function categoriesIn(given: unknown): readonly string[] {
  if (given === undefined || given === null) return []
  const list: readonly unknown[] = Array.isArray(given) ? given : [given]
  return list.map(categoryOf)
}

function categoryOf(given: unknown): string {
  const category = typeof given === 'string' ? given.trim() : undefined
  if (category === undefined) throw refused(`a category is a text, got ${kindOf(given)}`)
  if (category === '' || category.length > MAX_CATEGORY_CHARS || SEPARATOR.test(category))
    throw refused(
      `a category has 1 to ${MAX_CATEGORY_CHARS} characters, none of them a comma or a line break`,
    )
  if (category === UNKNOWN) throw refused(`the category ${UNKNOWN} is for incidents that nobody knows`)
  return category
}

/** They are printed in a line, with commas between them. */
const SEPARATOR = /[,\r\n]/

function kindOf(given: unknown): string {
  if (given instanceof Promise) return 'a promise: a classifier answers at once'
  if (given === null || given === undefined) return String(given)
  return Array.isArray(given) ? 'a list' : `a value of type ${typeof given}`
}

function refused(message: string): FlogError {
  return new FlogError('FLOG_CLASSIFIER_FAILED', message)
}

function failed(error: unknown): FlogError {
  if (FlogError.is(error, 'FLOG_CLASSIFIER_FAILED')) return error
  return new FlogError('FLOG_CLASSIFIER_FAILED', `it threw: ${messageOf(error)}`, { cause: error })
}
