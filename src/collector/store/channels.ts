export type Notice = (payload: string | undefined) => void

/** Who listens to what. */
export class Channels {
  readonly #notices = new Map<string, Set<Notice>>()

  /** @returns true for the first of its channel */
  add(channel: string, notice: Notice): boolean {
    const notices = this.#notices.get(channel)
    if (notices === undefined) {
      this.#notices.set(channel, new Set([notice]))
      return true
    }
    notices.add(notice)
    return false
  }

  /** @returns true for the last of its channel */
  remove(channel: string, notice: Notice): boolean {
    const notices = this.#notices.get(channel)
    if (notices?.delete(notice) !== true || notices.size > 0) return false
    return this.#notices.delete(channel)
  }

  names(): readonly string[] {
    return [...this.#notices.keys()]
  }

  tell(channel: string, payload: string): void {
    for (const notice of [...(this.#notices.get(channel) ?? [])]) notice(payload)
  }

  /** Something may have been missed. */
  tellAll(): void {
    for (const notice of [...this.#notices.values()].flatMap((notices) => [...notices])) notice(undefined)
  }
}

export function listenTo(channel: string): string {
  return `LISTEN ${quoted(channel)}`
}

export function stopListening(channel: string): string {
  return `UNLISTEN ${quoted(channel)}`
}

function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}
