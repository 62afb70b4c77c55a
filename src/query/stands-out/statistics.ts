/** What is certain is given as strength: −log10 of the probability that chance would do as much. */

const LN10 = Math.LN10
const LOG_SQRT_2PI = 0.5 * Math.log(2 * Math.PI)

/**
 * Strength of a table of two rows, one-sided: that the first row has so large a share of what counts. Fisher's exact test, the
 * upper tail of the hypergeometric distribution.
 * @param hits of `all` in the first row; @param otherHits of `others` in the second
 */
export function shareStrength(hits: number, all: number, otherHits: number, others: number): number {
  const marked = hits + otherHits
  const most = Math.min(marked, all)
  const total = logChoose(all + others, marked)
  let sum = 0
  const first = logChoose(all, hits) + logChoose(others, marked - hits) - total
  for (let k = hits; k <= most; k++) {
    const term = Math.exp(logChoose(all, k) + logChoose(others, marked - k) - total - first)
    sum += term
    if (term < 1e-12 * sum) break
  }
  return Math.max(0, -(first + Math.log(sum)) / LN10)
}

/** The same, as a log-likelihood ratio (G): to compare many tables cheaply. 0 where the first share is not the larger one. */
export function shareRatio(hits: number, all: number, otherHits: number, others: number): number {
  if (all === 0 || others === 0 || hits * others <= otherHits * all) return 0
  const share = (hits + otherHits) / (all + others)
  return 2 * (divergence(hits, all, share) + divergence(otherHits, others, share))
}

function divergence(hits: number, all: number, share: number): number {
  const misses = all - hits
  const of = (count: number, expected: number): number =>
    count === 0 ? 0 : count * Math.log(count / expected)
  return of(hits, all * share) + of(misses, all * (1 - share))
}

/** Strength of a value `z` standard deviations above the mean of a normal distribution. */
export function normalStrength(z: number): number {
  if (z <= 0) return 0
  // The continued fraction of Mills' ratio, from behind; exact to a percent from 0.5 on, which is all that counts here.
  let ratio = z
  for (let k = 30; k >= 1; k--) ratio = z + k / ratio
  return Math.max(0, (0.5 * z * z + LOG_SQRT_2PI + Math.log(ratio)) / LN10)
}

/** The value below which a part of the sorted values lies; NaN where there are none. */
export function quantile(sorted: ArrayLike<number>, part: number): number {
  const at = Math.min(sorted.length - 1, Math.max(0, Math.ceil(part * sorted.length) - 1))
  return sorted[at] ?? Number.NaN
}

export function sortedCopy(values: ArrayLike<number>): Float64Array {
  return Float64Array.from(values).sort()
}

export function median(values: ArrayLike<number>): number {
  return quantile(sortedCopy(values), 0.5)
}

/** Where a series becomes larger than it was before, and stays so to its end. */
export interface Shift {
  /** Place of the first value of the later part. */
  readonly at: number
  readonly strength: number
}

/**
 * The place that parts a series best into a smaller earlier and a larger later part, by ranks: Mann and Whitney's test at every
 * place, the largest taken, which costs the logarithm of the number of places. (A. N. Pettitt, 1979, "A non-parametric approach
 * to the change-point problem".)
 * @param least values on either side
 */
export function shiftIn(values: Float64Array, least: { readonly before: number; readonly after: number }) {
  const n = values.length
  if (n < least.before + least.after) return undefined
  const { ranks, ties } = ranksOf(values)
  const spread = (n + 1 - ties / (n * (n - 1))) / 12
  if (spread <= 0) return undefined
  let sum = 0
  let best: { at: number; z: number } | undefined
  for (let at = 1; at < n; at++) {
    sum += ranks[at - 1] as number
    if (at < least.before || n - at < least.after) continue
    const z = ((at * (n + 1)) / 2 - sum) / Math.sqrt(at * (n - at) * spread)
    if (best === undefined || z > best.z) best = { at, z }
  }
  if (best === undefined) return undefined
  return { at: best.at, strength: normalStrength(best.z) - Math.log10(n) } satisfies Shift
}

/** Ranks from 1, equal values sharing theirs; `ties` is the sum of t³ − t over groups of t equal values. */
function ranksOf(values: Float64Array): { readonly ranks: Float64Array; readonly ties: number } {
  const order = Uint32Array.from(values, (_, index) => index).sort(
    (one, other) => (values[one] as number) - (values[other] as number),
  )
  const ranks = new Float64Array(values.length)
  let ties = 0
  for (let from = 0; from < order.length; ) {
    let to = from + 1
    while (to < order.length && values[order[to] as number] === values[order[from] as number]) to++
    for (let at = from; at < to; at++) ranks[order[at] as number] = (from + to + 1) / 2
    ties += (to - from) ** 3 - (to - from)
    from = to
  }
  return { ranks, ties }
}

/** A rise of the share of marked ones in a sequence, that lasts to its end. */
export interface Rise {
  /** Place of the first one of the later part; it is marked. */
  readonly at: number
  readonly strength: number
  readonly before: { readonly hits: number; readonly all: number }
  readonly after: { readonly hits: number; readonly all: number }
}

/** The place from which on most more are marked than before it; undefined where nothing before it can be compared with. */
export function riseIn(marked: Uint8Array, leastBefore: number): Rise | undefined {
  const total = marked.reduce((sum, mark) => sum + mark, 0)
  let best: { at: number; hitsBefore: number; ratio: number } | undefined
  let seen = 0
  for (let at = 0; at < marked.length; at++) {
    if (marked[at] === 0) continue
    const ratio = at < leastBefore ? 0 : shareRatio(total - seen, marked.length - at, seen, at)
    if (ratio > (best?.ratio ?? 0)) best = { at, hitsBefore: seen, ratio }
    seen++
  }
  if (best === undefined) return undefined
  const after = { hits: total - best.hitsBefore, all: marked.length - best.at }
  const before = { hits: best.hitsBefore, all: best.at }
  const strength = shareStrength(after.hits, after.all, before.hits, before.all) - Math.log10(total)
  return { at: best.at, strength, before, after }
}

function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k)
}

/** Exact to 1e-10 from the table on (Stirling's series). */
function logFactorial(n: number): number {
  const known = LOG_FACTORIALS[n]
  if (known !== undefined) return known
  return n * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI * n) + 1 / (12 * n) - 1 / (360 * n ** 3)
}

const LOG_FACTORIALS = tableOfLogFactorials(64)

function tableOfLogFactorials(length: number): Float64Array {
  const table = new Float64Array(length)
  for (let n = 2; n < length; n++) table[n] = (table[n - 1] as number) + Math.log(n)
  return table
}
