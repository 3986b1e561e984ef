/** A server of Postgres as the cache knows it: rows that have versions, readings, and connections that listen. */
import type { Entry, Moment, RowName } from '../../server/src/ground/cache/protocol.ts'

const idOf = (digit: number): string => `00000000-0000-4000-8000-00000000000${digit}`
export const sessionIds = [idOf(1), idOf(2), idOf(3)] as const

/** Two of the sessions are one user's. */
const userIds = [idOf(8), idOf(8), idOf(9)] as const

export const rowOfSession = (session: number): RowName => `session ${sessionIds[session]}`
export const rowOfUser = (session: number): RowName => `user ${userIds[session]}`

/** What is in no row, such as what a role may do. */
const EVERYTHING: RowName = 'everything'

/** Everything that a session is read from: the last change of each. */
export type States = Readonly<Record<RowName, number>>

/** A change that has been committed. */
export interface Change {
  id: number
  row: RowName
  /** When it became visible. */
  committedAt: number
  /** Whether it has sent a notice. */
  isTold: boolean
}

export type ChangeKind = 'change' | 'end' | 'delete'

interface Row {
  version: number
  isUsable: boolean
  /** Oldest first. */
  history: readonly Change[]
}

/** What a standby is sent. */
export interface Data {
  rows: ReadonlyMap<RowName, Row>
  /** What the next transaction is called, and the number above all that have ended. */
  next: number
  ended: number
}

export function emptyData(): Data {
  const first: Change = { id: 0, row: '', committedAt: Number.NEGATIVE_INFINITY, isTold: true }
  const names = [0, 1, 2].flatMap((session) => [rowOfSession(session), rowOfUser(session)])
  const rows = [...names, EVERYTHING].map(
    (name) => [name, { version: 1, isUsable: true, history: [first] }] as const,
  )
  return { rows: new Map(rows), next: 100, ended: 100 }
}

interface Question {
  kind: 'listen' | 'heartbeat'
  answer(looked: Moment): void
}

/** What the server sends arrives in the order in which it was sent, or not at all. */
export interface Connection {
  timeline: number
  ask(kind: Question['kind']): Promise<Moment>
  /** The server goes on by half a statement: it looks, or it commits and answers. Returns whether it could. */
  serve(): boolean
  /** That many of its messages arrive, all in one piece. */
  deliver(most: number): boolean
  cut(): void
}

/** A change whose notice is in the queue and whose commit record is written, and which nobody sees yet. */
export interface Commit {
  /** It is seen from now on, and told. Null when the server has crashed meanwhile. */
  finish(): { change: Change; version: number } | null
}

/** Numbers the changes of all servers. */
let changeCount = 0

export function createSimulatedPostgres(
  now: () => number,
  data: Data,
  { timeline, isStandby }: { timeline: number; isStandby: boolean },
) {
  const rows = new Map(data.rows)
  let { next, ended } = data
  /** Below this, numbers of transactions are on the disk: a crash does not give them again. */
  let flushed = ended
  let clockOffsetMs = CLOCK_OFFSET_MS
  let starts = 0
  let isUp = true
  /** Postgres lets one transaction at a time commit that has notified. */
  let committing: Commit | null = null
  const listening = new Set<(notice: string) => void>()
  const open = new Set<() => void>()
  const rowOf = (name: RowName) => rows.get(name) as Row

  const begin = (): number => {
    next += 1
    return next - 1
  }
  const end = (transaction: number) => {
    ended = Math.max(ended, transaction + 1)
  }
  const time = () => now() + clockOffsetMs
  const look = (): Moment => ({ transaction: ended, time: time() })

  const write = (name: RowName, kind: ChangeKind, isTold: boolean) => {
    const row = rowOf(name)
    changeCount += 1
    const change = { id: changeCount, row: name, committedAt: now(), isTold }
    const version = row.version + (isTold ? 1 : 0)
    rows.set(name, {
      version,
      isUsable: row.isUsable && kind === 'change',
      history: [...row.history, change],
    })
    flushed = next
    return { change, version }
  }
  const noticeOf = (name: RowName, kind: ChangeKind, version: number): string =>
    name === EVERYTHING ? '*' : `${name} ${kind === 'delete' ? '9223372036854775807' : version}`

  /** Null while somebody else commits. */
  const beginCommit = (name: RowName, kind: ChangeKind): Commit | null => {
    if (committing !== null) return null
    const transaction = begin()
    const commit: Commit = {
      finish: () => {
        if (committing !== commit) return null
        const done = write(name, kind, true)
        end(transaction)
        for (const tell of listening) tell(noticeOf(name, kind, done.version))
        committing = null
        return done
      },
    }
    committing = commit
    return commit
  }

  return {
    timeline: () => timeline,
    isStandby: () => isStandby,
    isUp: () => isUp,
    /** How often it has been started: what was connected before is not any more. */
    starts: () => starts,
    time,
    historyOf: (name: RowName) => rowOf(name).history,
    isUsable: (session: number) => rowOf(rowOfSession(session)).isUsable,
    data: (): Data => ({ rows: new Map(rows), next: ended, ended }),

    beginCommit,
    beginCommitOfEverything: () => beginCommit(EVERYTHING, 'change'),
    finishCommit: () => void committing?.finish(),
    /** With triggers switched off: there is neither a notice nor a new version. */
    changeUntold: (name: RowName, kind: ChangeKind) => {
      const transaction = begin()
      write(name, kind, false)
      end(transaction)
    },
    /** What only makes a new version, and is not announced: that a session was seen. */
    visit: (session: number) => {
      const name = rowOfSession(session)
      rows.set(name, { ...rowOf(name), version: rowOf(name).version + 1 })
      end(begin())
      flushed = next
    },

    /** What a statement sees that looks now, in a transaction that began at that time. */
    read: (session: number, beganAt: number): Entry<States> | null => {
      if (!rowOf(rowOfSession(session)).isUsable) return null
      const names = [rowOfSession(session), rowOfUser(session)]
      const states = [...names, EVERYTHING].map((name) => [name, rowOf(name).history.at(-1)?.id])
      return {
        value: Object.fromEntries(states) as States,
        versions: names.map((name) => [name, rowOf(name).version]),
        readAt: { transaction: ended, time: beganAt },
        goodUntil: Number.MAX_SAFE_INTEGER,
      }
    },

    setClock: (byMs: number) => {
      clockOffsetMs += byMs
    },
    /** @param loses whether numbers that are not on the disk are given again */
    crash: (loses: boolean) => {
      committing = null
      if (loses) next = Math.max(flushed, next - 20)
      next = loses ? next : Math.max(next, ended)
      ended = next
      starts += 1
      for (const cut of [...open]) cut()
    },
    die: () => {
      isUp = false
      committing = null
      for (const cut of [...open]) cut()
    },
    promote: (newTimeline: number, clockMs: number) => {
      timeline = newTimeline
      isStandby = false
      clockOffsetMs += clockMs
    },

    connect: (hear: (notice: string) => void): Connection => {
      const questions: Question[] = []
      let running: { question: Question; looked: Moment } | null = null
      let wire: (() => void)[] = []
      let isCut = false
      const tell = (notice: string) => wire.push(() => hear(notice))
      const cut = () => {
        isCut = true
        listening.delete(tell)
        open.delete(cut)
        wire = []
      }
      open.add(cut)
      return {
        timeline,
        ask: (kind) => new Promise((answer) => questions.push({ kind, answer })),
        serve: () => {
          if (isCut) return false
          if (running === null) {
            const question = questions.shift()
            if (question === undefined) return false
            running = { question, looked: look() }
            return true
          }
          const { question, looked } = running
          if (question.kind === 'listen') listening.add(tell)
          // It notifies, and so waits for whoever else does.
          else if (committing !== null) return false
          else end(begin())
          wire.push(() => question.answer(looked))
          running = null
          return true
        },
        deliver: (most) => {
          const arriving = wire.splice(0, most)
          for (const arrive of arriving) arrive()
          return arriving.length > 0
        },
        cut,
      }
    },
  }
}

/** Far from every node's clock: nothing may depend on the two agreeing. */
const CLOCK_OFFSET_MS = -3_600_000

export type SimulatedPostgres = ReturnType<typeof createSimulatedPostgres>
