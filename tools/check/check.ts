export interface Finding {
  readonly ok: boolean
  /** What is wrong, for people. */
  readonly report: string
}

/** Something that must hold for the checkout at `root`. */
export type Check = (root: string) => Finding | Promise<Finding>
