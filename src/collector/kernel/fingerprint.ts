import { createHash } from 'node:crypto'
import type { PlainError } from './plain'

const MESSAGE_CHARS = 500
/** What differs from one occurrence to the next: UUIDs, hexadecimal ids, paths, numbers. */
const VARIABLE =
  /\b[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}\b|\b(?=[a-f]*\d)[\da-f]{6,}\b|(?:\b[a-z]:)?[\\/](?:[\w.@~+-]+[\\/])*[\w.@~+-]+|\d+/gi
/** Frames of Node itself, of packages, and of what has no file. */
const FOREIGN = /node:|[\\/]node_modules[\\/]|<anonymous>\)?$|\(native\)/

/** 16 hexadecimal digits that are the same for all occurrences of one trouble of one part, whatever numbers it names. */
export function fingerprintOf(part: string, message: string, error: PlainError | undefined): string {
  const code = error?.['code']
  const parts = [
    part,
    error?.name ?? '',
    typeof code === 'string' || typeof code === 'number' ? String(code) : '',
    ownFrame(typeof error?.['stack'] === 'string' ? error['stack'] : ''),
    message.slice(0, MESSAGE_CHARS).replace(VARIABLE, '#'),
  ]
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16)
}

/** Function and the last two parts of the path, without line and column: lines move, and programs are installed anywhere. */
function ownFrame(stack: string): string {
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line))
  const frame = frames.find((line) => !FOREIGN.test(line)) ?? frames[0] ?? ''
  const [, name = '', place = ''] = /^\s+at (?:async )?(?:(.*?) \()?(.*?)\)?$/.exec(frame) ?? []
  return `${name}@${place
    .replace(/(?::\d+)+$/, '')
    .split(/[\\/]/)
    .slice(-2)
    .join('/')}`
}
