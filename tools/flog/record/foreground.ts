import { readFileSync } from 'node:fs'

/**
 * True where this process is in its terminal's foreground group: then Ctrl-C reaches the program that it started as well,
 * from the terminal itself, and passing the signal on would make it two.
 */
export function inForeground(stdinIsTTY: boolean): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1')
    // Fields after the name, which may hold anything: state, parent, group, session, terminal, the terminal's group.
    const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return foreground !== undefined && foreground === group
  } catch {
    return stdinIsTTY
  }
}
