import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../../ground/database/pool.ts'
import { Refusal } from '../../../ground/errors.ts'
import type { Log } from '../../../ground/log.ts'
import { readFingerprint } from '../catalog/read-fingerprint.ts'
import type { DatabaseRole, GraphqlSettings } from '../settings.ts'
import { type BuiltSchema, buildSchema } from './build-schema.ts'
import { createFailedMemory } from './remember-failed.ts'
import { createProblemTeller } from './tell-problems.ts'

export interface RoleSchemas {
  /** The schema of a database role, built when somebody first asks for it. */
  get(role: DatabaseRole): Promise<BuiltSchema>
  /** Builds those of all roles before anybody asks. */
  prepare(): Promise<void>
  /**
   * Something looked as if the database had changed: looks before its time, and resolves when what has changed is built. @param since
   * a look that has begun after this, of `performance.now()`, is as good
   */
  suspectChange(since?: number): Promise<void>
}

/** How long a change of the database may go unnoticed. */
const LOOK_EVERY_MS = 5_000

/** The least time between looks that are suspected to be needed: anybody may cause one. */
const SUSPECT_EVERY_MS = 1_000

interface Kept {
  fingerprint: string
  built: Promise<BuiltSchema>
  /** What is being built in its place. */
  next: { fingerprint: string; done: Promise<void> } | null
  /** Whether a request has been answered with it. */
  isUsed: boolean
}

/**
 * Schemas as the database has them. While they are asked for, the database is looked at every few seconds, and one that
 * has changed is built anew beside the requests, which are answered with the one before; or, where it is watched, before
 * anything is answered. What cannot be built leaves the one before in its place.
 */
export function createRoleSchemas(
  ground: { requests: Database; log: Log },
  { schemas, isWatching }: Pick<GraphqlSettings, 'schemas' | 'isWatching'>,
): RoleSchemas {
  // Pie's own last: PostGraphile takes the first for the main one.
  const all = [...schemas, 'pie_schema']
  const kept = new Map<DatabaseRole, Kept>()
  const memories = { webuser: createFailedMemory(), webadmin: createFailedMemory() }
  const tell = createProblemTeller(ground.log)
  let lookedAt = Number.NEGATIVE_INFINITY
  let looking: Promise<void> | null = null
  let lookingSoon: Promise<void> | null = null

  const build = async (role: DatabaseRole): Promise<BuiltSchema> => {
    const built = await buildSchema(ground.requests, all, role, memories[role])
    tell(built.problems, role)
    return built
  }
  const first = (role: DatabaseRole, fingerprint: string): Kept => {
    const one: Kept = { fingerprint, built: build(role), next: null, isUsed: false }
    kept.set(role, one)
    one.built.catch(() => {
      if (kept.get(role) === one) kept.delete(role)
    })
    return one
  }
  const renew = async (role: DatabaseRole, one: Kept, fingerprint: string): Promise<void> => {
    if (one.fingerprint === fingerprint) return
    if (one.next?.fingerprint !== fingerprint)
      one.next = { fingerprint, done: replace(role, one, fingerprint) }
    await one.next.done
  }
  const replace = async (role: DatabaseRole, one: Kept, fingerprint: string): Promise<void> => {
    try {
      const built = await build(role)
      if (kept.get(role) !== one || one.next?.fingerprint !== fingerprint) return
      const { isUsed } = one
      kept.set(role, { fingerprint, built: Promise.resolve(built), next: null, isUsed })
    } catch (error) {
      // Postgres could not be asked: that passes.
      if (error instanceof Refusal) one.next = null
      ground.log.error(
        { err: error, role },
        'a GraphQL schema could not be built; the one before stays',
      )
    }
  }
  const lookAtAll = async (): Promise<void> => {
    lookedAt = performance.now()
    try {
      const fingerprint = await readFingerprint(ground.requests, all)
      for (const [role, one] of kept) await renew(role, one, fingerprint)
    } catch (error) {
      ground.log.debug({ err: error }, 'could not look whether GraphQL schemas have changed')
    }
  }
  const look = (afterMs: number): Promise<void> => {
    if (looking !== null || performance.now() - lookedAt < afterMs)
      return looking ?? Promise.resolve()
    looking = lookAtAll().finally(() => {
      looking = null
    })
    return looking
  }
  const find = async (role: DatabaseRole): Promise<Kept> => {
    const fingerprint = await readFingerprint(ground.requests, all)
    // Somebody else may have begun meanwhile.
    const one = kept.get(role) ?? first(role, fingerprint)
    await one.built
    await renew(role, one, fingerprint)
    return kept.get(role) ?? one
  }
  /** However many ask: one look, and the least time after the one before. */
  const lookSoon = async (): Promise<void> => {
    await looking
    await sleep(Math.max(0, lookedAt + SUSPECT_EVERY_MS - performance.now()))
    lookingSoon = null
    await look(0)
  }
  return {
    prepare: () =>
      tell.together(async () => {
        for (const role of ['webuser', 'webadmin'] as const) await (await find(role)).built
      }),
    async get(role) {
      let one = kept.get(role)
      // What was prepared at the start may be of before the application's migrations.
      if (one === undefined || isWatching || !one.isUsed) one = await find(role)
      else void look(LOOK_EVERY_MS)
      one.isUsed = true
      return one.built
    },
    async suspectChange(since = performance.now()) {
      // Whoever watches has looked before the request.
      if (isWatching) return
      // One that began before may have seen what was before.
      if (lookedAt >= since) return (await looking) ?? undefined
      lookingSoon ??= lookSoon()
      await lookingSoon
    },
  }
}
