import { Cron } from 'croner'
import { invalidOption, messageOf } from '../../base/errors'

/** When a cron expression is due: five fields, or six with seconds first; local times of a zone, by default UTC. */
export class CronTimes {
  readonly #cron: Cron

  /** @throws FLOG_OPTION_INVALID where the expression or the zone cannot be read, or never comes true */
  constructor(expression: string, zone = 'UTC') {
    let first: Date | null
    try {
      this.#cron = new Cron(expression, { timezone: zone, mode: '5-or-6-parts' })
      // A zone is looked at when it is first needed.
      first = this.#cron.nextRun(new Date(0))
    } catch (error) {
      throw invalidOption(
        'cron',
        `an expression and a zone that can be read (${messageOf(error)})`,
        expression,
      )
    }
    if (first === null) throw invalidOption('cron', 'an expression that comes true some day', expression)
  }

  /** The first time after `after`. */
  next(after: Date): Date | undefined {
    return this.#cron.nextRun(after) ?? undefined
  }

  /** The last time that is not after `at`. */
  last(at: Date): Date | undefined {
    // Whole seconds: a time that is `at` itself is before the second that follows.
    return this.#cron.previousRuns(1, new Date(at.getTime() + 1000 - (at.getTime() % 1000)))[0]
  }
}
