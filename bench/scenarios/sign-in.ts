import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { asOwner } from '../../server/src/ground/database/prepare-database.ts'
import { compare, type Measurement, measureInTurn } from '../measurement.ts'
import type { Options } from '../options.ts'
import { median } from '../quantile.ts'
import type { Account } from '../stage/seed.ts'
import type { Stage } from '../stage/set-stage.ts'

/** What the account has, beside one that has none. */
const SESSIONS = [100, 5_000]

/**
 * What Postgres takes to sign somebody in, and to say that they have to wait, by how many sessions they have: its statements, one
 * after the other on one connection, without the hash, which would hide it. Nothing of it is kept.
 */
export async function measureSignIn(
  { ownerUrl, accounts, passwordHash }: Stage,
  { seconds, rounds }: Options,
): Promise<Measurement[]> {
  return asOwner(ownerUrl, async (owner) => {
    const [none, ...others] = accounts.slice(-SESSIONS.length - 1) as [Account, ...Account[]]
    await owner.query('delete from pie_private.sessions where user_id = any ($1)', [
      [none, ...others].map(({ userId }) => userId),
    ])
    const measurements: Measurement[] = []
    for (const [place, count] of SESSIONS.entries()) {
      const account = others[place] as Account
      await addSessions(owner, account, count)
      await owner.query('vacuum analyze pie_private.sessions')
      for (const [what, work] of [
        ['sign-in', signIn(owner, passwordHash)],
        ['429', beRefused(owner)],
      ] as const) {
        const take = (of: Account) => () => timeEach(seconds, () => work(of))
        const measured = await measureInTurn(rounds, take(none), take(account))
        const scenario = `${what}, ${count.toLocaleString('en')} sessions beside 0`
        measurements.push(
          compare({ scenario, unit: 'median ms', aim: '0.95 to 1.05' }, measured, Number),
        )
      }
    }
    return measurements
  })
}

async function addSessions(owner: pg.Client, { userId }: Account, count: number): Promise<void> {
  await owner.query(
    `insert into pie_private.sessions (id, user_id, kind, proof_hash, methods, expires_at, absolute_expires_at, address)
     select gen_random_uuid(), $1, 'token', sha256('bench'), '{pwd}', now() + interval '7 days', now() + interval '90 days',
       inet '10.0.0.0' + place from generate_series(1, $2::integer) as place`,
    [userId, count],
  )
}

async function timeEach(seconds: number, work: () => Promise<number>): Promise<number> {
  const durations: number[] = []
  const endMs = performance.now() + seconds * 1000
  while (performance.now() < endMs) durations.push(await work())
  return median(durations)
}

/** How long the work takes in a transaction that is undone. */
async function undone(owner: pg.Client, work: () => Promise<void>): Promise<number> {
  await owner.query('begin')
  const beganMs = performance.now()
  await work()
  const tookMs = performance.now() - beganMs
  await owner.query('rollback')
  return tookMs
}

let networks = 0
/** One that nobody has been seen in. */
const nextAddress = (): string => {
  networks += 1
  return `172.${16 + ((networks >> 16) & 15)}.${(networks >> 8) & 255}.${networks & 255}`
}

const begin = (owner: pg.Client, email: string, address: string) =>
  owner.query({
    name: 'begin',
    text: 'select * from pie_private.begin_password_sign_in($1, $2)',
    values: [email, address],
  })

const signIn = (owner: pg.Client, passwordHash: string) => (account: Account) =>
  undone(owner, async () => {
    const { userId, email } = account
    await begin(owner, email, '127.0.0.1')
    const { rowCount } = await owner.query({
      name: 'complete',
      text: `select * from pie_private.complete_password_sign_in(
        $1, $2, $3, $4, 'token', sha256('bench'), '7 days', '90 days', '127.0.0.1', 'bench')`,
      values: [userId, email, passwordHash, randomUUID()],
    })
    if (rowCount !== 1) throw new Error(`${email} was not signed in`)
  })

/** As often as strangers may try an account, from as many networks, and once more. */
const beRefused = (owner: pg.Client) => async (account: Account) => {
  await owner.query(
    `insert into pie_private.throttles values ('account:' || encode(sha256(convert_to($1, 'utf8')), 'hex'), now() + interval '1 hour')
     on conflict on constraint throttles_pkey do update set empty_at = excluded.empty_at`,
    [account.email],
  )
  return undone(owner, async () => {
    const { rows } = await begin(owner, account.email, nextAddress())
    if (rows[0]?.wait_seconds == null) throw new Error(`${account.email} was let through`)
  })
}
