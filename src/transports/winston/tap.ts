import type { WinstonLogger } from './logger'

/** Sees what a logger is told, around each `write`. None of these may throw. */
export interface Feed {
  /**
   * Before the logger sees `info`.
   * @param logged the error that was logged last: a child hands over a copy, which is none
   */
  begin(info: unknown, logged: Error | undefined): void
  /**
   * The logger's format made `result`; of `info`, or, where that is undefined, of what is being written. It is false or the
   * like where the format dropped it.
   */
  formatted(result: unknown, info: unknown): void
  /** After `write`: it returned, or it threw. @returns whether the info waits in the logger, not formatted yet */
  end(threw: boolean): boolean
}

/**
 * Looks over the shoulder of one logger, for all feeds that it has.
 *
 * Methods are laid over, on the logger itself and for as long as somebody listens: `write`, which every way of logging
 * ends in and which runs when the program logs, however long the streams behind it take; and `push`, which is given what
 * the format made of an info. The first push within a write is that info's, as long as none waits from before; from the
 * first one that does, `_transform`, which is given the info, is laid over too. `_addDefaultMeta` is given an error that
 * is logged as such before a child logger takes it apart. Whatever they return or throw is passed
 * on as it is.
 */
export class Tap {
  readonly #logger: WinstonLogger
  #feeds: readonly Feed[] = []
  readonly #overlays = new Map<keyof Methods, Overlay>()
  #transforming: unknown
  #logged: Error | undefined

  static of(logger: WinstonLogger): Tap {
    let tap = taps.get(logger)
    if (tap === undefined) {
      tap = new Tap(logger)
      taps.set(logger, tap)
    }
    return tap
  }

  private constructor(logger: WinstonLogger) {
    this.#logger = logger
  }

  attach(feed: Feed): void {
    this.#feeds = [...this.#feeds, feed]
    this.#lay('write', () => this.#overWrite())
    this.#lay('push', () => this.#overPush())
    if (this.#logger._addDefaultMeta !== undefined)
      this.#lay('_addDefaultMeta', () => this.#overDefaultMeta())
    if (this.#logger.writableLength !== 0) this.#trackInfos()
  }

  detach(feed: Feed): void {
    this.#feeds = this.#feeds.filter((other) => other !== feed)
    if (this.#feeds.length > 0) return
    // One that somebody has laid another over stays, passes everything on, and is used again.
    for (const [name, overlay] of [...this.#overlays].reverse()) {
      if (overlay.lift()) this.#overlays.delete(name)
    }
  }

  #trackInfos(): void {
    this.#lay('_transform', () => this.#overTransform())
  }

  #lay(name: keyof Methods, make: () => Overlay): void {
    if (!this.#overlays.has(name)) this.#overlays.set(name, make())
  }

  #overWrite(): Overlay {
    const tap = this
    return overlay(
      this.#logger,
      'write',
      (below) =>
        function (this: unknown, info, encoding, callback) {
          const feeds = tap.#feeds
          const logged = tap.#logged
          if (logged !== undefined) tap.#logged = undefined
          for (let i = 0; i < feeds.length; i++) feeds[i]?.begin(info, logged)
          let threw = true
          try {
            const result = below.write.call(this, info, encoding, callback)
            threw = false
            return result
          } finally {
            for (let i = 0; i < feeds.length; i++) if (feeds[i]?.end(threw)) tap.#trackInfos()
          }
        },
    )
  }

  #overTransform(): Overlay {
    const tap = this
    return overlay(
      this.#logger,
      '_transform',
      (below) =>
        function (this: unknown, info, encoding, callback) {
          const outer = tap.#transforming
          tap.#transforming = info
          try {
            return below._transform.call(this, info, encoding, callback)
          } finally {
            tap.#transforming = outer
          }
        },
    )
  }

  #overDefaultMeta(): Overlay {
    const tap = this
    return overlay(
      this.#logger,
      '_addDefaultMeta',
      (below) =>
        function (this: unknown, info) {
          if (info instanceof Error) tap.#logged = info
          return below._addDefaultMeta.call(this, info)
        },
    )
  }

  #overPush(): Overlay {
    const tap = this
    return overlay(
      this.#logger,
      'push',
      (below) =>
        function (this: unknown, result, encoding) {
          const info = tap.#transforming
          if (info !== undefined) tap.#transforming = undefined
          const feeds = tap.#feeds
          if (result !== null) for (let i = 0; i < feeds.length; i++) feeds[i]?.formatted(result, info)
          return below.push.call(this, result, encoding)
        },
    )
  }
}

const taps = new WeakMap<WinstonLogger, Tap>()

type Method = (this: unknown, first: unknown, second?: unknown, third?: unknown) => unknown
type Methods = Record<'write' | '_transform' | 'push' | '_addDefaultMeta', Method>

interface Overlay {
  /** Takes it off. @returns false where somebody has laid another over it, and it stays */
  lift(): boolean
}

/**
 * Lays a method over that of one object.
 * @param make given what has the method below: the prototype is asked each time, for others patch it while programs run;
 *   through an object of its own, since the engine is quick to ask what lies behind an object, and slow to ask a prototype
 */
function overlay(logger: WinstonLogger, name: keyof Methods, make: (below: Methods) => Method): Overlay {
  const target = logger as WinstonLogger & Methods
  const own = Object.getOwnPropertyDescriptor(target, name)
  const method = make(
    own === undefined ? Object.create(Object.getPrototypeOf(target)) : { [name]: own.value },
  )
  Object.defineProperty(target, name, {
    value: method,
    configurable: true,
    writable: true,
    enumerable: false,
  })
  return {
    lift() {
      if (target[name] !== method) return false
      if (own === undefined) Reflect.deleteProperty(target, name)
      else Object.defineProperty(target, name, own)
      return true
    },
  }
}
