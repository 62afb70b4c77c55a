import type { LogEvent } from '../../../src/event/event'
import type { RecordedEvent } from '../../../src/incident/parts'

/** An event with what is drawn before its message, and before the lines below that. */
export interface TreeLine {
  readonly recorded: RecordedEvent
  readonly branch: string
  readonly below: string
}

/** Deeper ones stand below each other: no terminal is that wide. */
const DRAWN_DEPTH = 24

interface Node {
  readonly recorded: RecordedEvent
  readonly children: Node[]
}

/**
 * Events below what they belong to: the event that caused them (`parent`); else the first one of their span; else the first
 * one of their trace. What belongs to nothing stands at the left. Brothers stay in their order.
 */
export function* treeOf(events: readonly RecordedEvent[]): Generator<TreeLine, void> {
  const open: { readonly nodes: readonly Node[]; at: number; readonly before: string }[] = [
    { nodes: rootsOf(events), at: 0, before: '' },
  ]
  // A loop, not a recursion: a chain of causes may be as long as the file.
  for (let level = open.at(-1); level !== undefined; level = open.at(-1)) {
    const node = level.nodes[level.at++]
    if (node === undefined) {
      open.pop()
      continue
    }
    const depth = open.length - 1
    const isLast = level.at === level.nodes.length
    const isDrawn = depth > 0 && depth <= DRAWN_DEPTH
    const inner = isDrawn ? `${level.before}${isLast ? '   ' : '│  '}` : level.before
    const branch = isDrawn ? `${level.before}${isLast ? '└─ ' : '├─ '}` : level.before
    yield { recorded: node.recorded, branch, below: inner }
    if (node.children.length > 0) open.push({ nodes: node.children, at: 0, before: inner })
  }
}

function rootsOf(events: readonly RecordedEvent[]): readonly Node[] {
  const roots: Node[] = []
  const bySeq = new Map<number, Node>()
  const bySpan = new Map<string, Node>()
  const byTrace = new Map<string, Node>()
  for (const recorded of events) {
    const { event } = recorded
    const node: Node = { recorded, children: [] }
    const above = ownerOf(event, bySeq, bySpan, byTrace)
    if (above === undefined) roots.push(node)
    else above.children.push(node)
    // Only what came before owns anything, so there are no circles.
    bySeq.set(event.seq, node)
    if (event.spanId !== undefined && !bySpan.has(event.spanId)) bySpan.set(event.spanId, node)
    if (event.traceId !== undefined && !byTrace.has(event.traceId)) byTrace.set(event.traceId, node)
  }
  return roots
}

function ownerOf(
  { parent, spanId, traceId }: LogEvent,
  bySeq: ReadonlyMap<number, Node>,
  bySpan: ReadonlyMap<string, Node>,
  byTrace: ReadonlyMap<string, Node>,
): Node | undefined {
  return (
    (parent === undefined ? undefined : bySeq.get(parent)) ??
    (spanId === undefined ? undefined : bySpan.get(spanId)) ??
    (traceId === undefined ? undefined : byTrace.get(traceId))
  )
}
