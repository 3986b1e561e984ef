import type pg from 'pg'
import { asOwner } from '../../server/src/ground/database/prepare-database.ts'
import { measureServer } from '../load/measure-server.ts'
import { takeTurns } from '../load/take-turns.ts'
import type { Measurement } from '../measurement.ts'
import type { Options } from '../options.ts'
import { quantile } from '../quantile.ts'
import { loginExchange } from '../stage/pie-exchanges.ts'
import type { Stage } from '../stage/set-stage.ts'

/** A fraction of what the machine can hash: what a person waits, rather than how long a queue is. */
const SIGN_INS_PER_SECOND = 5
const CONNECTIONS = 10
/** Long enough for a p99. */
const CALM_SECONDS = 60
const SLICE_SECONDS = 20
const AT_ONCE = 500_000
const PATIENCE_SECONDS = 120

/**
 * The p99 of signing in while the node deletes so many ended sessions, beside its p99 before and after. The node begins by itself,
 * at the next of its minutes.
 */
export async function measureCleanUp(stage: Stage, options: Options): Promise<Measurement[]> {
  const nextAccount = takeTurns(stage.accounts)
  const signIns = async (seconds: number) => {
    const measured = await measureServer(stage.pie, {
      connections: CONNECTIONS,
      requestsPerSecond: SIGN_INS_PER_SECOND,
      seconds,
      next: () => loginExchange(nextAccount(), stage.password),
    })
    return measured.p99Ms
  }
  return asOwner(stage.ownerUrl, async (owner) => {
    stage.say('measuring signing in when it is calm')
    const before = await signIns(CALM_SECONDS)
    stage.say(`making ${options.sessions.toLocaleString('en')} sessions that have ended`)
    await addEnded(
      owner,
      stage.accounts.map(({ userId }) => userId),
      options.sessions,
    )
    const whole = await countEnded(owner)
    let left = whole
    let idleSeconds = 0
    while (left === whole && idleSeconds < PATIENCE_SECONDS) {
      await signIns(2)
      idleSeconds += 2
      left = await countEnded(owner)
    }
    if (left === whole) throw new Error('the node deletes nothing')
    const beganMs = performance.now()
    const beganWith = left
    const slices: number[] = []
    while (left > 0) {
      slices.push(await signIns(SLICE_SECONDS))
      left = await countEnded(owner)
      stage.say(`${left.toLocaleString('en')} are left`)
    }
    const perSecond = (beganWith * 1000) / (performance.now() - beganMs)
    stage.say('measuring signing in when it is calm again')
    const after = await signIns(CALM_SECONDS)
    const calm = quantile([before, after], 0.5)
    const during = quantile(slices, 0.5)
    const among = options.sessions.toLocaleString('en')
    return [
      {
        scenario: `sign-in during clean-up of ${among}`,
        unit: 'p99 ms',
        aim: '≤ 1.5',
        pie: during,
        floor: calm,
        ratio: during / calm,
        rounds: [{ before, after, slices }],
      },
      {
        scenario: `clean-up of ${among}`,
        unit: 'per second',
        aim: null,
        pie: perSecond,
        floor: null,
        ratio: null,
        rounds: [perSecond],
      },
    ]
  })
}

/** As they are a week after they were ended, of everybody. */
async function addEnded(owner: pg.Client, userIds: string[], count: number): Promise<void> {
  for (let made = 0; made < count; made += AT_ONCE) {
    await owner.query(
      `insert into pie_private.sessions
         (id, user_id, kind, proof_hash, methods, expires_at, absolute_expires_at, revoked_at, revoked_reason, user_agent)
       select gen_random_uuid(), ($1::uuid[])[1 + place % cardinality($1::uuid[])], 'token', sha256('bench'), '{pwd}',
         now() - interval '30 days', now() - interval '30 days', now() - interval '30 days' + place * interval '1 ms', 'logout', 'bench'
       from generate_series(1, $2::integer) as place`,
      [userIds, Math.min(AT_ONCE, count - made)],
    )
  }
  await owner.query('vacuum analyze pie_private.sessions')
  await owner.query('checkpoint')
}

async function countEnded(owner: pg.Client): Promise<number> {
  const { rows } = await owner.query<{ count: number }>(
    `select count(*)::integer as count from pie_private.sessions where revoked_at < now() - interval '7 days'`,
  )
  return rows[0]?.count ?? 0
}
