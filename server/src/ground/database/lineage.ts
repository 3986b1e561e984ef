/** Which primary this process has seen last, so that it never goes back to one that has been left. */

/** What a server says of itself. A standby that is promoted begins a new timeline (PostgreSQL manual, 26.3.6). */
export interface Primary {
  systemIdentifier: string
  timeline: number
}

/** One for everything in a process that connects to the database. */
export interface Lineage {
  /**
   * A new connection has reached this primary.
   * @param host where it was found
   * @returns its name among all that this process has seen
   * @throws OldPrimary when a newer one has been seen
   */
  see(primary: Primary, host?: string): string
  /** The name of the newest; empty while none is known. */
  current(): string
  /** Whether a primary that goes by this name has been left for another; null is nobody's name. */
  isLeft(name: string | null): boolean
  /** Where it was found first; null while none is known. */
  host(): string | null
  /** What is called when a newer one has been seen: whatever came of an older one is no longer true. */
  onNewer(leave: () => void): void
}

/** A primary that has been left: another has been promoted, and it does not know. */
export class OldPrimary extends Error {
  constructor({ timeline }: Primary) {
    super(
      `it was the primary once: another has been promoted since its timeline ${timeline}. Let nobody connect to it, ` +
        'and make it a standby of the new one',
    )
  }
}

export function createLineage(): Lineage {
  /** The highest timeline of each cluster that has been seen: one that was left for another cluster is not gone back to. */
  const seen = new Map<string, number>()
  let current: Primary | null = null
  let name = ''
  let found: string | null = null
  const leaving: (() => void)[] = []
  const nameOf = ({ systemIdentifier, timeline }: Primary) => `${systemIdentifier}/${timeline}`

  return {
    see: (primary, host) => {
      const { systemIdentifier, timeline } = primary
      const isOther = current !== null && current.systemIdentifier !== systemIdentifier
      const highest = seen.get(systemIdentifier) ?? 0
      if (timeline < highest || (isOther && timeline === highest)) throw new OldPrimary(primary)
      const isNewer = current !== null && (isOther || timeline > current.timeline)
      if (current === null || isNewer) found = host ?? null
      current = primary
      name = nameOf(primary)
      seen.set(systemIdentifier, timeline)
      if (isNewer) for (const leave of leaving) leave()
      return name
    },
    current: () => name,
    isLeft: (other) => other !== null && other !== name,
    host: () => found,
    onNewer: (leave) => void leaving.push(leave),
  }
}
