import type { BroadcastChannel } from 'node:worker_threads'
import type { Clock, Timer } from '../base/clock'
import { ENDED_THREAD_MS } from '../base/limits'
import type { RingHandle } from './layout'

/** A recorder of one thread, as others know it. */
export interface Member {
  /** Random: a thread may have several recorders, one after the other or at once. */
  readonly id: string
  readonly thread: number
  readonly rings: readonly RingHandle[]
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
}

/**
 * Whose rings there are in a process. Threads join, and leave or just end; what their rings hold is history, and stays for
 * {@link ENDED_THREAD_MS}.
 *
 * ```
 *   join ──> there ──leave, ended──> gone, its rings are still read ──a while──> forgotten
 * ```
 * Keeps no thread alive. What was said before a call of {@link rings} is heard by then, whether the event loop turned or not.
 */
export class Roster {
  readonly #options: RosterOptions
  readonly #channel: BroadcastChannel
  readonly #receive: typeof import('node:worker_threads').receiveMessageOnPort
  readonly #members = new Map<string, Member>()
  readonly #gone = new Map<string, Timer>()
  readonly #incidents = new Map<string, OpenIncident>()
  #closed = false

  constructor(options: RosterOptions) {
    this.#options = options
    const { channel, self, members = [] } = options
    const threads = require('node:worker_threads') as typeof import('node:worker_threads')
    this.#receive = threads.receiveMessageOnPort
    for (const member of members) this.#members.set(member.id, member)
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
    return self === undefined ? [...this.#members.values()] : [self, ...this.#members.values()]
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
    for (const timer of this.#gone.values()) timer.cancel()
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
    const added = members.filter(({ id }) => id !== self?.id && !this.#members.has(id) && !this.#gone.has(id))
    for (const member of added) this.#members.set(member.id, member)
    const rings = added.flatMap((member) => member.rings)
    if (rings.length > 0) onJoin?.(rings)
  }

  #threadEnded(thread: number): void {
    for (const member of this.#members.values()) if (member.thread === thread) this.#left(member.id)
    for (const { id, thread: writer } of this.#incidents.values())
      if (writer === thread) this.#incidents.delete(id)
  }

  /** That it is gone is known for longer than its rings are: another one that forgets later must not bring them back. */
  #left(id: string): void {
    if (this.#gone.has(id)) return
    const { clock } = this.#options
    const forget = (): void => {
      this.#members.delete(id)
      this.#gone.set(
        id,
        clock.after(ENDED_THREAD_MS, () => void this.#gone.delete(id)),
      )
    }
    this.#gone.set(id, clock.after(ENDED_THREAD_MS, forget))
  }
}
