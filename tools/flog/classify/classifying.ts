import { RECORDING_BYTES } from '../../../src/base/limits'
import { type Classification, Classifiers } from '../../../src/query/classify'
import { collectRecording, type Recording } from '../../../src/query/recording'
import { readParts } from '../dump/source'
import { escapeLine } from '../terminal'
import type { Surroundings } from '../verb'
import { lineOf, loadClassifiers } from './load'

/** The classifiers of a command, and what is wrong with them. */
export interface Classifying {
  /** Whether any of them is broken; more may turn out to be while incidents are read. */
  readonly isBroken: boolean
  /** Reads an incident file into memory, and classifies it. Throws what reading throws. */
  classify(path: string): Promise<Classified>
}

export interface Classified extends Classification {
  readonly recording: Recording
}

/** Loads classifiers, and says once of each broken one what is wrong with it. */
export async function classifying(rules: readonly string[], io: Surroundings): Promise<Classifying> {
  const { classifiers, broken } = await loadClassifiers(rules)
  let isBroken = broken.length > 0
  for (const { place, message } of broken)
    io.talk(`flog: ${escapeLine(`${place}: ${message}`)}; it is left out`)
  const all = new Classifiers(classifiers, (error, { place }) => {
    isBroken = true
    const where = `${place}${lineOf(place, error.cause)}`
    io.talk(`flog: ${escapeLine(`${where}: ${error.message}`)}; it is left out wherever that happens`)
  })
  const limited = { ...io, maxFileBytes: io.maxFileBytes ?? RECORDING_BYTES }
  return {
    get isBroken() {
      return isBroken
    },
    async classify(path) {
      const recording = await collectRecording(await readParts(path, limited))
      return { recording, ...all.classify(recording) }
    },
  }
}
