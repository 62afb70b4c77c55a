import { median, type Result, result, round } from './measure'
import { runProgram } from './programs'

/** The first trigger of a fresh process, beside bare writes of the same bytes by equally fresh processes. */
export function trigger(quick: boolean): readonly Result[] {
  const processes = quick ? 7 : 20
  const runs = Array.from({ length: processes }, () => {
    const flog = runProgram('trigger')
    const bare = runProgram('bare-write', flog['bytes'] ?? 0)
    return { ...flog, bare: bare['write'] ?? 0, bareDurable: bare['durable'] ?? 0 }
  })
  const of = (name: keyof (typeof runs)[number]) => round(median(runs.map((run) => run[name] ?? Number.NaN)))
  const ratios = (a: keyof (typeof runs)[number], b: keyof (typeof runs)[number]) =>
    median(runs.map((run) => (run[a] ?? Number.NaN) / (run[b] ?? Number.NaN)))
  const longest = Math.max(...runs.map((run) => run['longest' as never] ?? 0))
  const figures = {
    'call ms': of('call' as never),
    'bare write ms': of('bare'),
    'durable ms': of('durable' as never),
    'bare write and fsync ms': of('bareDurable'),
    bytes: of('bytes' as never),
    events: of('events' as never),
    processes,
  }
  return [
    result('first trigger, 8 MiB of history / bare write', ratios('call' as never, 'bare'), 6, {
      aim: 3,
      figures,
    }),
    result('the same durable / write and fsync', ratios('durable' as never, 'bareDurable'), 3, { figures }),
    result('longest turn of the event loop until closed', longest, 10, {
      unit: 'ms',
      figures: { 'median ms': of('longest' as never), processes },
    }),
  ]
}
