import type { Output } from '../output'
import type { Style } from '../style'
import type { TextOptions } from './text-target'
import type { Target } from './write-parts'

export type DumpFormat = 'text' | 'json' | 'logfmt' | 'otlp' | 'csv'

/** What writes a format; only that one is loaded. */
export function targetFor(format: DumpFormat, out: Output, style: Style, options: TextOptions): Target {
  switch (format) {
    case 'text':
      return (require('./text-target') as typeof import('./text-target')).textTarget(out, style, options)
    case 'json':
      return (require('./json-target') as typeof import('./json-target')).jsonTarget(out, options.merged)
    case 'logfmt':
      return (require('../export/logfmt') as typeof import('../export/logfmt')).logfmtTarget(out)
    case 'csv':
      return (require('../export/csv') as typeof import('../export/csv')).csvTarget(out)
    case 'otlp':
      return (require('../export/otlp') as typeof import('../export/otlp')).otlpTarget(out)
  }
}
