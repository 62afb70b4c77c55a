/** Keys of the page, for the help and for what they do. */
export const KEYS = [
  { keys: ['j', 'ArrowDown'], action: 'down', help: 'next line' },
  { keys: ['k', 'ArrowUp'], action: 'up', help: 'previous line' },
  { keys: ['PageDown', ' '], action: 'pageDown', help: 'a page on' },
  { keys: ['PageUp'], action: 'pageUp', help: 'a page back' },
  { keys: ['g', 'Home'], action: 'first', help: 'first line' },
  { keys: ['G', 'End'], action: 'last', help: 'last line' },
  { keys: ['Enter'], action: 'open', help: 'open, close the details' },
  { keys: ['t'], action: 'trigger', help: 'to the trigger' },
  { keys: ['e'], action: 'nextError', help: 'next error' },
  { keys: ['E'], action: 'previousError', help: 'previous error' },
  { keys: ['x'], action: 'onlyTrace', help: 'only this trace, and back' },
  { keys: ['/'], action: 'filter', help: 'filter' },
  { keys: ['['], action: 'zoomIn', help: 'zoom in, around the selected event' },
  { keys: [']'], action: 'zoomOut', help: 'zoom out' },
  { keys: ['0'], action: 'zoomAll', help: 'all of the time' },
  { keys: ['r'], action: 'tree', help: 'tree by parent and span' },
  { keys: ['h', 'ArrowLeft'], action: 'collapse', help: 'in a tree: hide what is below, or go up' },
  { keys: ['l', 'ArrowRight'], action: 'expand', help: 'in a tree: show what is below, or go down' },
  { keys: ['H'], action: 'collapseAll', help: 'in a tree: hide all that is below, and back' },
  { keys: ['f'], action: 'fold', help: 'fold repeated lines' },
  { keys: ['u'], action: 'time', help: 'times: relative, local, UTC' },
  { keys: ['c'], action: 'compare', help: 'compare with the previous one of its kind' },
  { keys: ['?'], action: 'help', help: 'this help' },
  { keys: ['Escape'], action: 'escape', help: 'close what is open' },
] as const

export type Action = (typeof KEYS)[number]['action']

/** What a key asks for; undefined where it belongs to the browser, or to a field that is being written in. */
export function actionOf(event: KeyboardEvent): Action | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined
  const target = event.target as Element | null
  if (target?.closest('input, textarea, select') && event.key !== 'Escape') return undefined
  // A button that has the focus is pressed by these.
  if (target?.closest('button, a') && (event.key === 'Enter' || event.key === ' ')) return undefined
  const { key } = event
  return KEYS.find(({ keys }) => (keys as readonly string[]).includes(key))?.action
}

/** `↓`, `Space`. */
export function keyName(key: string): string {
  return NAMES.get(key) ?? key
}

const NAMES: ReadonlyMap<string, string> = new Map([
  ['ArrowDown', '↓'],
  ['ArrowUp', '↑'],
  ['ArrowLeft', '←'],
  ['ArrowRight', '→'],
  [' ', 'Space'],
  ['PageDown', 'Page↓'],
  ['PageUp', 'Page↑'],
  ['Escape', 'Esc'],
])
