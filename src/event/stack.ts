/** Frames of Node itself, of packages, and of what has no file. */
const FOREIGN = /node:|[\\/]node_modules[\\/]|\(internal\/|<anonymous>\)?$|\(native\)/
const STACK_CHARS = 16 * 1024

/** Whether a line of a stack is one of its frames. */
export function isFrame(line: string): boolean {
  return /^\s+at /.test(line)
}

/** Whether it lies in the program's own code. */
export function isOwnFrame(line: string): boolean {
  return isFrame(line) && !FOREIGN.test(line)
}

/** The first frame of the program's own code, short: `take (pool.js:31)`; undefined where there is none. */
export function ownFrame(stack: string): string | undefined {
  const line = stack.slice(0, STACK_CHARS).split('\n').find(isOwnFrame)
  if (line === undefined) return undefined
  const frame = line.trim().replace(/^at (?:async )?/, '')
  return frame.replace(/(?:file:\/\/)?[^\s()]*[\\/]([^\\/()]+?:\d+)(?::\d+)?(\)?)$/, '$1$2')
}
