import type { BroadcastChannel } from 'node:worker_threads'
import type { Clock, Timer } from '../base/clock'
import { ENDED_RINGS_BYTES, ENDED_THREAD_MS } from '../base/limits'
import type { RingHandle } from './layout'

/** A recorder of one thread, as others know it. */
export interface Member {
  /** Random: a thread may have several recorders, one after the other or at once. */
  readonly id: string
  readonly thread: number
  readonly rings: readonly RingHandle[]
  /** Its rings are history: whoever is told of it forgets it after a while. */
  readonly hasLeft?: true
}

/** What is said on the channel. Whoever hears it keeps a list of its own; nobody is asked at an incident. */
type Notice =
  | { readonly kind: 'join'; readonly member: Member }
  | { readonly kind: 'members'; readonly members: readonly Member[] }
  | { readonly kind: 'leave'; readonly id: string }
  | { readonly kind: 'ended'; readonly thread: number }
  | { readonly kind: 'opened' | 'settled'; readonly incident: OpenIncident }

/** An incident whose file its thread has not finished yet. */
export interface OpenIncident {
  readonly id: string
  readonly thread: number
}

export interface RosterOptions {
  /** Name of the channel. */
  readonly channel: string
  readonly clock: Clock
  /** Who joins; undefined for one that has no rings of its own. */
  readonly self: Member | undefined
  /** Known from the start. */
  readonly members?: readonly Member[]
  /** Whether who joins learns from this one who is there; one that always listens is enough. */
  readonly answers: boolean
  /** There are rings that were not there before. */
  readonly onJoin?: (rings: readonly RingHandle[]) => void
  /** One that had these rings left: nothing more is written into them. */
  readonly onLeave?: (rings: readonly RingHandle[]) => void
  /** These rings are read no longer; whoever holds on to them keeps their memory from being freed. */
  readonly onForget?: (rings: readonly RingHandle[]) => void
}

/**
 * Whose rings there are in a process. Threads join, and leave or just end; what their rings hold is history, and stays for
 * {@link ENDED_THREAD_MS}, or until the rings of those that left later take {@link ENDED_RINGS_BYTES} with it. So however
 * many threads come and go, the memory of that many bytes is held on to, and that of the last one that left.
 *
 * ```
 *   join ──> there ──leave, ended──> gone, its rings are still read ──a while, or too many──> forgotten
 * ```
 * Keeps no thread alive. What was said before a call of {@link rings} is heard by then, whether the event loop turned or not.
 */
export class Roster {
  readonly #options: RosterOptions
  readonly #channel: BroadcastChannel
  readonly #receive: typeof import('node:worker_threads').receiveMessageOnPort
  readonly #members = new Map<string, Member>()
  /** Of members that left and are not forgotten: the one that left first comes first. */
  readonly #gone = new Map<string, Timer>()
  readonly #forgotten = new Map<string, Timer>()
  readonly #incidents = new Map<string, OpenIncident>()
  #closed = false

  constructor(options: RosterOptions) {
    this.#options = options
    const { channel, self, members = [] } = options
    const threads = require('node:worker_threads') as typeof import('node:worker_threads')
    this.#receive = threads.receiveMessageOnPort
    for (const member of members) this.#members.set(member.id, member)
    for (const { id, hasLeft } of members) if (hasLeft) this.#left(id)
    this.#channel = new threads.BroadcastChannel(channel)
    this.#channel.onmessage = (event) => this.#hear((event as { readonly data: Notice }).data)
    this.#channel.unref()
    if (self !== undefined) this.#say({ kind: 'join', member: self })
  }

  /** Rings of all others, also of threads that ended a moment ago. */
  rings(): readonly RingHandle[] {
    this.#listen()
    return [...this.#members.values()].flatMap(({ rings }) => rings)
  }

  /** All that are there, this one included, and those that ended a moment ago. */
  members(): readonly Member[] {
    this.#listen()
    const { self } = this.#options
    const others = [...this.#members.values()].map((member) =>
      this.#gone.has(member.id) ? { ...member, hasLeft: true as const } : member,
    )
    return self === undefined ? others : [self, ...others]
  }

  /** This thread is about to make the file of an incident: should it end over it, another one finishes the file. */
  opened(incident: OpenIncident): void {
    this.#say({ kind: 'opened', incident })
  }

  /** The file is finished. */
  settled(incident: OpenIncident): void {
    this.#say({ kind: 'settled', incident })
  }

  /** A thread is over, in whichever way. @returns ids of the incidents that it leaves */
  ended(thread: number): readonly string[] {
    this.#listen()
    this.#say({ kind: 'ended', thread })
    const left = [...this.#incidents.values()].filter((incident) => incident.thread === thread)
    this.#threadEnded(thread)
    return left.map(({ id }) => id)
  }

  /** Its own rings are history from here on. Idempotent. */
  close(): void {
    if (this.#closed) return
    const { self } = this.#options
    if (self !== undefined) this.#say({ kind: 'leave', id: self.id })
    this.#closed = true
    this.#channel.close()
    for (const timer of [...this.#gone.values(), ...this.#forgotten.values()]) timer.cancel()
  }

  #say(notice: Notice): void {
    if (!this.#closed) this.#channel.postMessage(notice)
  }

  #listen(): void {
    if (this.#closed) return
    for (;;) {
      const received = this.#receive(this.#channel as never) as { readonly message: Notice } | undefined
      if (received === undefined) return
      this.#hear(received.message)
    }
  }

  #hear(notice: Notice): void {
    switch (notice.kind) {
      case 'join':
        this.#add([notice.member])
        if (this.#options.answers) this.#say({ kind: 'members', members: this.members() })
        return
      case 'members':
        this.#add(notice.members)
        return
      case 'leave':
        this.#left(notice.id)
        return
      case 'ended':
        this.#threadEnded(notice.thread)
        return
      case 'opened':
        this.#incidents.set(notice.incident.id, notice.incident)
        return
      case 'settled':
        this.#incidents.delete(notice.incident.id)
    }
  }

  #add(members: readonly Member[]): void {
    const { self, onJoin } = this.#options
    const added = members.filter(
      ({ id }) => id !== self?.id && !this.#members.has(id) && !this.#forgotten.has(id),
    )
    for (const member of added) this.#members.set(member.id, member)
    const rings = added.flatMap((member) => member.rings)
    if (rings.length > 0) onJoin?.(rings)
    for (const { id, hasLeft } of members) if (hasLeft) this.#left(id)
  }

  #threadEnded(thread: number): void {
    for (const member of this.#members.values()) if (member.thread === thread) this.#left(member.id)
    for (const { id, thread: writer } of this.#incidents.values())
      if (writer === thread) this.#incidents.delete(id)
  }

  #left(id: string): void {
    const member = this.#members.get(id)
    if (this.#gone.has(id) || this.#forgotten.has(id)) return
    if (member === undefined) {
      this.#forget(id)
      return
    }
    this.#gone.set(
      id,
      this.#options.clock.after(ENDED_THREAD_MS, () => this.#forget(id)),
    )
    this.#options.onLeave?.(member.rings)
    this.#forgetMost()
  }

  /** As many as are too many, but not the last one that left. */
  #forgetMost(): void {
    const ids = [...this.#gone.keys()]
    const bytes = ids.map((id) => bytesOf(this.#members.get(id)))
    let sum = bytes.reduce((a, b) => a + b, 0)
    for (let i = 0; i < ids.length - 1 && sum > ENDED_RINGS_BYTES; i++) {
      sum -= bytes[i] as number
      this.#forget(ids[i] as string)
    }
  }

  /** That it is gone is known for longer than its rings are: another one that forgets later must not bring them back. */
  #forget(id: string): void {
    const { clock, onForget } = this.#options
    this.#gone.get(id)?.cancel()
    this.#gone.delete(id)
    this.#forgotten.set(
      id,
      clock.after(2 * ENDED_THREAD_MS, () => void this.#forgotten.delete(id)),
    )
    const rings = this.#members.get(id)?.rings
    this.#members.delete(id)
    if (rings !== undefined) onForget?.(rings)
  }
}

function bytesOf(member: Member | undefined): number {
  return (member?.rings ?? []).reduce((sum, { memory }) => sum + memory.byteLength, 0)
}
