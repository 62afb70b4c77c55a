import { peekTime } from '../codec/decode'
import {
  CONTROL_WORDS,
  capacityWords,
  frameWords,
  HEAD,
  NEXT_ORDINAL_F64,
  type RingHandle,
  type RingState,
  TAIL,
} from './layout'

/** What a ring holds and what it let go, seen from another thread; to a few events where its writer goes on meanwhile. */
export function stateOfRing(handle: RingHandle): RingState {
  const { memory, severity, facility, thread } = handle
  const words = new Int32Array(memory)
  const head = Atomics.load(words, HEAD)
  const tail = Atomics.load(words, TAIL)
  const written = new Float64Array(memory, 0, CONTROL_WORDS / 2)[NEXT_ORDINAL_F64] as number
  const isEmpty = head === tail
  const mask = capacityWords(memory) - 1
  // The numbers of the frames are 32 bits wide in the frames, and whole beside the head.
  const oldest = words[CONTROL_WORDS + ((tail + 1) & mask)] as number
  const evicted = isEmpty ? written : written - (((written | 0) - oldest) >>> 0)
  return {
    severity,
    facility,
    thread,
    capacityBytes: capacityWords(memory) * 4,
    usedBytes: ((head - tail) >>> 0) * 4,
    events: written - evicted,
    evicted,
    oldest: isEmpty ? 0 : timeAt(words, mask, tail),
  }
}

function timeAt(words: Int32Array, mask: number, position: number): number {
  const length = words[CONTROL_WORDS + (position & mask)] as number
  if (frameWords(length) > mask) return 0
  const start = new Int32Array(5)
  for (let i = 0; i < start.length; i++)
    start[i] = words[CONTROL_WORDS + ((position + 2 + i) & mask)] as number
  return peekTime(new Uint8Array(start.buffer))
}
