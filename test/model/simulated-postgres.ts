/** Postgres as the cache knows it: rows that have versions, readings, and connections that listen. */
import type { Entry, RowName } from '../../server/src/ground/cache/protocol.ts'

/** Far from every node's clock: nothing may depend on the two agreeing. */
const CLOCK_OFFSET_MS = -3_600_000

const idOf = (digit: number): string => `00000000-0000-4000-8000-00000000000${digit}`
export const sessionIds = [idOf(1), idOf(2), idOf(3)] as const

/** Two of the sessions are one user's. */
const userIds = [idOf(8), idOf(8), idOf(9)] as const

export const rowOfSession = (session: number): RowName => `session ${sessionIds[session]}`
export const rowOfUser = (session: number): RowName => `user ${userIds[session]}`

/** Everything that sessions are read from: each counts the changes that are announced. */
export type States = Readonly<Record<RowName, number>>

/** A change that has been committed. */
export interface Change {
  row: RowName | 'everything'
  state: number
  committedAt: number
}

interface Row {
  version: number
  state: number
  isUsable: boolean
}

interface Question {
  kind: 'listen' | 'heartbeat'
  answer(databaseNow: number): void
}

/** What the server sends arrives in the order in which it was sent, or not at all. */
export interface Connection {
  ask(kind: Question['kind']): Promise<number>
  /** The server goes on by half a statement: it looks at the clock, or it commits and answers. */
  serve(): boolean
  /** That many of its messages arrive, all in one piece. */
  deliver(most: number): boolean
  cut(): void
}

export function createSimulatedPostgres(now: () => number) {
  const databaseNow = () => now() + CLOCK_OFFSET_MS
  const rows = new Map<RowName, Row>()
  for (const name of [0, 1, 2].flatMap((session) => [rowOfSession(session), rowOfUser(session)]))
    rows.set(name, { version: 1, state: 0, isUsable: true })
  let everything = 0
  const changes: Change[] = []
  const listening = new Set<(notice: string) => void>()
  const rowOf = (name: RowName) => rows.get(name) as Row

  const commit = (change: Omit<Change, 'committedAt'>, notice: string): Change => {
    const committed = { ...change, committedAt: now() }
    changes.push(committed)
    for (const tell of listening) tell(notice)
    return committed
  }

  return {
    changes,
    databaseNow,
    isUsable: (session: number) => rowOf(rowOfSession(session)).isUsable,

    /** Changes a row, or ends a session, which is never usable again. Returns its new version. */
    change: (name: RowName, kind: 'change' | 'end' | 'delete') => {
      const row = rowOf(name)
      row.version += 1
      row.state += 1
      if (kind !== 'change') row.isUsable = false
      const told = kind === 'delete' ? '9223372036854775807' : row.version
      return {
        change: commit({ row: name, state: row.state }, `${name} ${told}`),
        version: row.version,
      }
    },
    /** What only makes a new version, and is not announced: that a session was seen. */
    visit: (session: number) => {
      rowOf(rowOfSession(session)).version += 1
    },
    changeEverything: () => {
      everything += 1
      commit({ row: 'everything', state: everything }, '*')
    },

    /** What a reading sees that looks now, and began earlier. */
    read: (session: number, readAt: number): Entry<States> | null => {
      const names = [rowOfSession(session), rowOfUser(session)]
      if (!rowOf(rowOfSession(session)).isUsable) return null
      const states = names.map((name) => [name, rowOf(name).state])
      return {
        value: { ...Object.fromEntries(states), everything },
        versions: names.map((name) => [name, rowOf(name).version]),
        readAt,
        goodUntil: Number.MAX_SAFE_INTEGER,
      }
    },

    connect: (hear: (notice: string) => void): Connection => {
      const questions: Question[] = []
      let running: { question: Question; databaseNow: number } | null = null
      let wire: (() => void)[] = []
      let isCut = false
      const tell = (notice: string) => wire.push(() => hear(notice))
      return {
        ask: (kind) => new Promise((answer) => questions.push({ kind, answer })),
        serve: () => {
          if (isCut) return false
          const next = running === null ? questions.shift() : undefined
          if (next !== undefined) {
            running = { question: next, databaseNow: databaseNow() }
            return true
          }
          if (running === null) return false
          const { question, databaseNow: looked } = running
          if (question.kind === 'listen') listening.add(tell)
          wire.push(() => question.answer(looked))
          running = null
          return true
        },
        deliver: (most) => {
          const arriving = wire.splice(0, most)
          for (const arrive of arriving) arrive()
          return arriving.length > 0
        },
        cut: () => {
          isCut = true
          listening.delete(tell)
          wire = []
        },
      }
    },
  }
}

export type SimulatedPostgres = ReturnType<typeof createSimulatedPostgres>
