import { createHash } from 'node:crypto'
import type pg from 'pg'
import { proveSession } from '../../server/src/features/sessions/prove-session.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { asOwner } from '../../server/src/ground/database/prepare-database.ts'
import { quantile } from '../quantile.ts'
import { type CookieSession, toCookieSession } from './cookie-session.ts'
import { fillSessions, SESSIONS_OF_EACH } from './fill-sessions.ts'
import type { Stage } from './set-stage.ts'

/** A database of its own, with this many sessions in it. */
export interface ManySessions {
  count: number
  databaseUrl: string
  /** One of them, by chance. */
  any(): CookieSession
  /** The p99 in ms of reading one after the other on one connection, without HTTP. */
  readAlone(seconds: number): Promise<number>
  drop(): Promise<void>
}

export async function makeManySessions(
  stage: Pick<Stage, 'keys' | 'ownerUrl' | 'pie' | 'startNode'>,
  count: number,
): Promise<ManySessions> {
  const { keys, ownerUrl, pie } = stage
  const name = `lookup_${count}`
  await asOwner(ownerUrl, (owner) => owner.query(`create database ${name}`))
  const url = new URL(ownerUrl.revealText())
  url.pathname = `/${name}`
  const databaseUrl = url.href
  // Migrates it.
  await (await stage.startNode({ DATABASE_URL: databaseUrl })).stop()
  await asOwner(Secret.fromText(databaseUrl), (owner) => fillSessions(owner, keys[0], count))
  const any = () => {
    const place = Math.floor(Math.random() * count)
    const started = {
      browserSessionId: uuidOf(`session ${place}`),
      userId: uuidOf(`user ${Math.floor(place / SESSIONS_OF_EACH)}`),
    }
    return toCookieSession(keys, started, pie.address)
  }
  return {
    count,
    databaseUrl,
    any,
    readAlone: (seconds) =>
      asOwner(Secret.fromText(databaseUrl), (owner) =>
        readOneAfterTheOther(owner, seconds, () => {
          const { browserSessionId } = any()
          return [browserSessionId, proveSession(keys, browserSessionId).proofs[0]]
        }),
      ),
    drop: async () => {
      await asOwner(ownerUrl, (owner) => owner.query(`drop database ${name} with (force)`))
    },
  }
}

async function readOneAfterTheOther(
  owner: pg.Client,
  seconds: number,
  next: () => unknown[],
): Promise<number> {
  const durations: number[] = []
  const endMs = performance.now() + seconds * 1000
  while (performance.now() < endMs) {
    const values = next()
    const beganMs = performance.now()
    const { rows } = await owner.query({
      name: 'read_session',
      text: 'select pie_private.read_session($1, $2) as description',
      values,
    })
    durations.push(performance.now() - beganMs)
    if (rows[0]?.description?.session.id !== values[0]) throw new Error('a session was not found')
  }
  return quantile(durations, 0.99)
}

/** As Postgres makes one of `md5(text)`. */
function uuidOf(text: string): string {
  const digits = createHash('md5').update(text).digest('hex')
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
