import { setTimeout as sleep } from 'node:timers/promises'
import { setOf } from '../../ground/database/applied-migrations.ts'
import { COMPATIBLE, PIES_OWN, readMigrations } from '../../ground/database/migrate.ts'
import type { Statement } from '../../ground/database/pipeline.ts'
import type { Ground } from '../../ground/ground.ts'

/** What has to be asked for; null where Postgres has not answered. */
export interface MeasuredDatabase {
  migrations: { applied: number; pending: number } | null
  liveSessions: number | null
}

/** Whoever reads metrics waits no longer, and no longer than Prometheus does. */
const WAIT_MS = 2_000

/** How long the count of sessions is good for: of millions, a thousand pages are read. */
const SESSIONS_GOOD_FOR_MS = 60_000

/** Asks once at a time, whoever wants to know, and never throws. */
export function createDatabaseMeasurer({
  auth,
}: Pick<Ground, 'auth'>): () => Promise<MeasuredDatabase> {
  let own: Promise<string[]> | null = null
  let sessions: { count: number; at: number } | null = null
  let ongoing: Promise<MeasuredDatabase> | null = null

  const measure = async (): Promise<MeasuredDatabase> => {
    own ??= readMigrations().then((migrations) => migrations.map(({ name }) => name))
    const isDue = sessions === null || performance.now() - sessions.at > SESSIONS_GOOD_FOR_MS
    const [applied = [], [counted] = []] = await auth.send(
      listMigrations,
      ...(isDue ? [estimateLiveSessions] : []),
    )
    if (counted !== undefined) sessions = { count: Number(counted['count']), at: performance.now() }
    const names = applied.map(({ name }) => String(name))
    return {
      migrations: {
        applied: names.filter((name) => [PIES_OWN, COMPATIBLE].includes(setOf(name))).length,
        pending: (await own).filter((name) => !names.includes(name)).length,
      },
      liveSessions: sessions?.count ?? null,
    }
  }

  return async () => {
    const nothing = { migrations: null, liveSessions: null }
    ongoing ??= measure()
      .catch(() => nothing)
      .finally(() => {
        ongoing = null
      })
    const gaveUp = new AbortController()
    const tooLate = sleep(WAIT_MS, nothing, { signal: gaveUp.signal, ref: false })
    tooLate.catch(() => {})
    try {
      return await Promise.race([ongoing, tooLate])
    } finally {
      gaveUp.abort()
    }
  }
}

/** As at the start of a node without the owner's address: one name is one text. */
const listMigrations: Statement = {
  name: 'list_migrations',
  text: 'select * from pie_private.list_migrations()',
  values: [],
}

const estimateLiveSessions: Statement = {
  name: 'estimate_live_sessions',
  text: 'select pie_private.estimate_live_sessions() as count',
  values: [],
}
