import type { Trust } from './trust.ts'

/** What a node has heard, for whoever watches it. Nothing is believed or refused by it. */
export interface Heard {
  /** Milliseconds since the last heartbeat that came back, also where what came before has been forgotten; null before the first. */
  silentForMs(): number | null
  /** How many notices have come, of each kind. */
  notices(): { session: number; user: number; everything: number }
  /** Is told of each session that a notice names, and what the database's clock says as it comes. */
  watchSessions(watch: (sessionId: string, databaseNowMs: number) => void): void
}

/** The same trust for a listener, which counts what comes. */
export function countHeard(trust: Trust): { counted: Trust; heard: Heard } {
  const counts = { session: 0, user: 0, everything: 0 }
  let cameBackAt: number | null = null
  /** What the database's clock is ahead of this process's, to within half a round trip. */
  let aheadMs: number | null = null
  let watch = (_sessionId: string, _databaseNowMs: number) => {}
  const counted: Trust = {
    ...trust,
    hear: (notice) => {
      trust.hear(notice)
      if (notice === 'everything') {
        counts.everything += 1
        return
      }
      const [kind, id = ''] = notice.row.split(' ')
      if (kind !== 'session') {
        counts.user += 1
        return
      }
      counts.session += 1
      if (aheadMs !== null) watch(id, performance.now() + aheadMs)
    },
    heartbeat: () => {
      const arrive = trust.heartbeat()
      const sentAt = performance.now()
      return (looked) => {
        arrive(looked)
        cameBackAt = performance.now()
        aheadMs = looked.time - (sentAt + cameBackAt) / 2
      }
    },
  }
  const heard: Heard = {
    silentForMs: () => (cameBackAt === null ? null : performance.now() - cameBackAt),
    notices: () => ({ ...counts }),
    watchSessions: (given) => {
      watch = given
    },
  }
  return { counted, heard }
}
