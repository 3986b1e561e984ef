import type pg from 'pg'
import type { DerivedKeys } from '../../server/src/ground/crypto/derive-keys.ts'

/** How many devices each user has. */
export const SESSIONS_OF_EACH = 10

/**
 * Fills an empty database of Pie's with users and their browsers' sessions, which are as good as real
 * ones: `session <n>` and `user <n>` are what the md5 of their ids was made of. As a superuser, a few
 * seconds for each million.
 */
export async function fillSessions(
  owner: pg.Client,
  { sessionProof }: DerivedKeys,
  count: number,
): Promise<void> {
  await owner.query('begin')
  // No foreign key is looked up: what is made here fits.
  await owner.query(`set local session_replication_role = replica`)
  await owner.query(`set local maintenance_work_mem = '1GB'`)
  await owner.query(`set local work_mem = '512MB'`)
  // From here on this database is only read.
  await owner.query('alter table pie_schema.user_emails disable trigger user')
  await owner.query('alter table pie_schema.user_roles disable trigger user')
  const users = Math.ceil(count / SESSIONS_OF_EACH)
  await owner.query(
    `insert into pie_schema.users (id, name)
     select md5('user ' || n)::uuid, 'Person ' || n from generate_series(0, $1::integer - 1) as given (n)`,
    [users],
  )
  await owner.query(
    `insert into pie_schema.user_emails (user_id, email, is_primary)
     select md5('user ' || n)::uuid, 'person-' || n || '@example.com', true
     from generate_series(0, $1::integer - 1) as given (n)`,
    [users],
  )
  await owner.query(
    `insert into pie_schema.user_roles (user_id, role)
     select md5('user ' || n)::uuid, 'viewer' from generate_series(0, $1::integer - 1) as given (n)`,
    [users],
  )
  const makeIndexesAgain = await dropSecondaryIndexes(owner)
  // In the order of their ids, so that the primary key grows at its end.
  await owner.query(
    `insert into pie_private.sessions
       (id, user_id, kind, proof_hash, methods, last_seen_at, expires_at, absolute_expires_at, address, user_agent)
     select id, md5('user ' || n / ${SESSIONS_OF_EACH})::uuid, 'browser',
       sha256(sha256($2::bytea || sha256($3::bytea || convert_to(id::text, 'UTF8')))), '{pwd}',
       -- However long it takes until they are used: none of them is due to be written down as seen.
       now() + interval '1 day', now() + interval '7 days', now() + interval '90 days', '127.0.0.1', 'bench'
     from (
       select n, md5('session ' || n)::uuid as id from generate_series(0, $1::integer - 1) as counted (n)
       order by id
     ) as given`,
    [count, pad(sessionProof.reveal(), 0x5c), pad(sessionProof.reveal(), 0x36)],
  )
  for (const index of makeIndexesAgain) await owner.query(index)
  await owner.query('commit')
  await owner.query('vacuum analyze')
  await owner.query('checkpoint')
}

/** Returns what makes them again. */
async function dropSecondaryIndexes(owner: pg.Client): Promise<string[]> {
  const { rows } = await owner.query<{ name: string; definition: string }>(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
     from pg_index where indrelid = 'pie_private.sessions'::regclass and not indisprimary`,
  )
  for (const { name } of rows) await owner.query(`drop index ${name}`)
  return rows.map(({ definition }) => definition)
}

/** A key as HMAC-SHA256 mixes it in (RFC 2104 section 2): Postgres has SHA-256, but no HMAC. */
function pad(key: Buffer, mask: number): Buffer {
  const padded = Buffer.alloc(64, mask)
  for (const [place, byte] of key.entries()) padded[place] = byte ^ mask
  return padded
}
