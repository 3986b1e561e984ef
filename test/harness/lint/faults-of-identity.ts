import { faultyPolicy } from './faults-of-asking.ts'
import { soundFunction, soundTable } from './names.ts'
import { me, ownedTable } from './owned-table.ts'
import type { Expected, PlantedFault } from './planted-fault.ts'

const select = 'for select to webuser using'
const policy = (table: string) => `policy {${table}_own} on {s}.{${table}}`

/** The setting, written so that it is asked once. */
const setting = (name: string) => `(select current_setting('${name}', true))`
const claims = `(select nullif(current_setting('request.jwt.claims', true), '')::jsonb)`
const fromSetting = (table: string): Expected => ({
  rule: 'identity-from-setting',
  object: policy(table),
})

const settings = [
  {
    table: 'by_setting',
    policy: `${select} ({owner_id} = nullif(${setting('app.user_id')}, '')::uuid)`,
  },
  { table: 'by_claims', policy: `${select} ({owner_id} = (${claims} ->> 'sub')::uuid)` },
  {
    table: 'by_claim',
    policy: `${select} ({owner_id}::text = nullif(${setting('request.jwt.claim.sub')}, ''))`,
  },
  // Of a session, and no secret.
  {
    table: 'by_session_of',
    policy: `${select} ({owner_id} = nullif(${setting('app.session_user_id')}, '')::uuid)`,
  },
  {
    table: 'by_setting_too',
    policy: `${select} ({owner_id} = ${me} or ${setting('app.is_admin')} = 'yes')`,
  },
].map((faulty) => faultyPolicy('identity-from-setting')({ ...faulty, isByHand: true }))

/** Helpers that believe a setting, directly or through another. */
const inHelpers: PlantedFault[] = [
  {
    rule: 'identity-from-setting',
    object: 'function {s}.{claimed_id}()',
    isByHand: true,
    sql: `${soundFunction('{claimed_id}()', `returns uuid language sql stable as $$ select nullif(current_setting('App.User_Id', true), '')::uuid $$`)}
      grant execute on function {s}.{claimed_id}() to webuser;
      ${ownedTable('by_helper')} create policy {by_helper_own} on {s}.{by_helper} ${select} ({owner_id} = (select {s}.{claimed_id}()));`,
  },
  {
    rule: 'identity-from-setting',
    object: 'function {s}.{claimed_name}()',
    isByHand: true,
    sql: `${soundFunction('{claimed_name}()', `returns text language sql stable return current_setting('app.name', true)`)}
      ${soundFunction('{is_claimed}(text)', 'returns boolean language sql stable as $$ select $1 = {s}.{claimed_name}() $$')}
      grant execute on function {s}.{claimed_name}(), {s}.{is_claimed}(text) to webuser;
      ${ownedTable('by_helper_of_helper')}
      create policy {by_helper_of_helper_own} on {s}.{by_helper_of_helper} ${select} ({s}.{is_claimed}({body}));`,
  },
]

const metadata: PlantedFault[] = [
  faultyPolicy('identity-from-user-metadata')({
    table: 'by_metadata',
    policy: `${select} (${claims} -> 'user_metadata' ->> 'role' = 'admin')`,
    also: [fromSetting('by_metadata')],
  }),
  faultyPolicy('identity-from-user-metadata')({
    table: 'by_metadata_path',
    policy: `${select} (${claims} #>> array['user_metadata', 'role'] = 'admin')`,
    also: [fromSetting('by_metadata_path')],
  }),
  {
    rule: 'identity-from-user-metadata',
    object: 'function {s}.{is_metadata_admin}(uuid)',
    isByHand: true,
    sql: `${soundTable('accounts', ', raw_user_meta_data jsonb')}
      ${soundFunction(
        '{is_metadata_admin}(uuid)',
        `returns boolean language plpgsql stable as $$ begin
        return exists (select from {s}.{accounts} as a where raw_user_meta_data ->> 'id' = $1::text) and $1 = pie_schema.current_user_id();
      end $$`,
      )}
      grant execute on function {s}.{is_metadata_admin}(uuid) to webuser; grant select on {s}.{accounts} to webuser;
      create policy {accounts_own} on {s}.{accounts} for select to webuser using (${me} is not null);
      ${ownedTable('by_metadata_helper')}
      create policy {by_metadata_helper_own} on {s}.{by_metadata_helper} ${select} ({s}.{is_metadata_admin}({owner_id}));`,
  },
]

const email = `(select emails.email from pie_schema.user_emails as emails where emails.user_id = ${me} limit 1)`
const byPattern = [
  { table: 'by_like', policy: `${select} ({body} like '%' || ${email})` },
  { table: 'by_ilike', policy: `${select} (${email} ilike {body})` },
  {
    table: 'by_domain',
    policy: `${select} (${email} like '%example.com')`,
    weight: 'leak' as const,
  },
  { table: 'by_start', policy: `${select} (${email} ~ '^admin')`, weight: 'leak' as const },
  { table: 'by_beginning', policy: `${select} (starts_with(${email}, {body}))` },
  { table: 'by_position', policy: `${select} (position({body} in ${email}) > 0)` },
  { table: 'by_order', policy: `${select} ({owner_id} >= ${me})` },
  {
    table: 'by_case',
    before: 'create index on {s}.{by_case} (lower({body}));',
    policy: `${select} (lower({body}) = lower(${email}))`,
    weight: 'leak' as const,
  },
].map(faultyPolicy('identity-by-pattern'))

const byLogin = (table: string, using: string) => ({
  table,
  columns: ', {login} name not null',
  before: `create index on {s}.{${table}} ({login});`,
  policy: `${select} (${using})`,
})
const byRole = [
  byLogin('by_current', '{login} = current_user'),
  byLogin('by_session', '{login} = (select session_user)'),
  byLogin('by_old_user', 'user = {login} and {is_open}'),
].map(faultyPolicy('identity-is-database-role'))

/** On a table that nobody is granted. */
const toLoginAlone = (
  table: string,
  role: string,
  rest: Partial<PlantedFault> = {},
): PlantedFault => ({
  ...rest,
  rule: 'policy-to-login-role',
  object: policy(table),
  sql: `${soundTable(table)} create policy {${table}_own} on {s}.{${table}} for select to ${role} using (${me} is not null);`,
})

const toLogin: PlantedFault[] = [
  toLoginAlone('to_cream', 'cream'),
  // Nobody outside can act as that one.
  toLoginAlone('to_auth', 'pie_auth', { weight: 'leak', isByHand: true }),
  faultyPolicy('policy-to-login-role')({
    table: 'to_both',
    policy: `for select to webuser, cream using ({owner_id} = ${me})`,
  }),
]

/** Policies that ask who it is where nobody is to be believed. */
export const faultsOfIdentity: PlantedFault[] = [
  ...settings,
  ...inHelpers,
  ...metadata,
  ...byPattern,
  ...byRole,
  ...toLogin,
]
