import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { Secret } from '../../server/src/ground/crypto/secret.ts'

/** Where what `GET /users/me` reads stands once more, with the policies that most people write. */
const tables = ['users', 'user_emails', 'user_roles', 'role_permissions']

/**
 * The same people, addresses, roles and the same view of them, under row-level security that believes a
 * setting; and sessions that are found by the hash of a token, which is the session's id here.
 *
 * @returns where a role connects that may find a session, and become the role that the policies are for
 */
export async function makeAwaitedTables(owner: pg.Client, ownerUrl: Secret): Promise<Secret> {
  const password = randomBytes(24).toString('base64url')
  await owner.query(`
    create schema bench_awaited;
    create role bench_user;
    create role bench_requests login noinherit password '${password}';
    grant bench_user to bench_requests;
    grant usage on schema bench_awaited to bench_user, bench_requests`)
  for (const table of tables) {
    const own = { users: 'id', user_emails: 'user_id', user_roles: 'user_id' }[table]
    const isMine =
      own === undefined ? 'true' : `${own} = (select current_setting('app.user_id', true)::uuid)`
    await owner.query(`
      create table bench_awaited.${table} (like pie_schema.${table} including all);
      insert into bench_awaited.${table} select * from pie_schema.${table};
      alter table bench_awaited.${table} enable row level security;
      create policy ${table}_own on bench_awaited.${table} for select to bench_user using (${isMine});
      grant select on bench_awaited.${table} to bench_user`)
  }
  const { rows } = await owner.query(
    `select pg_get_viewdef('pie_schema.user_descriptions'::regclass) as definition`,
  )
  const definition = rows[0].definition.replaceAll('pie_schema.', 'bench_awaited.')
  await owner.query(`
    create view bench_awaited.user_descriptions with (security_invoker = true) as ${definition};
    grant select on bench_awaited.user_descriptions to bench_user;
    create table bench_awaited.sessions as
      select sha256(convert_to(id::text, 'utf8')) as token_hash, user_id, expires_at, revoked_at
      from pie_private.sessions;
    alter table bench_awaited.sessions add primary key (token_hash);
    grant select on bench_awaited.sessions to bench_requests`)
  await owner.query('vacuum analyze')
  const url = new URL(ownerUrl.revealText())
  url.username = 'bench_requests'
  url.password = password
  return Secret.fromText(url.href)
}
