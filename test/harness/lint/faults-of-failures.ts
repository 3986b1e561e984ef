import { commented, ownTable, soundFunction, soundTable } from './names.ts'
import type { PlantedFault } from './planted-fault.ts'

const me = '(select pie_schema.current_user_id())'
const definer = 'security definer set search_path = pg_catalog, pg_temp'

/** A table that is granted, whose one policy for others is this. */
const ruled = (name: string, using: string, columns = ''): string => `
  ${soundTable(name, columns)} grant select on {s}.{${name}} to webuser;
  create policy {${name}_own} on {s}.{${name}} for select to webuser using (${using});`

const recursions: PlantedFault[] = [
  {
    rule: 'policy-recursion',
    object: 'policy {members_own} on {s}.{members}',
    sql: ruled(
      'members',
      `exists (select from {s}.{members} as m where m.{id} = {members}.{team_id} and m.{owner_id} = ${me})`,
      ', {team_id} integer, {owner_id} uuid unique',
    ),
  },
  {
    rule: 'policy-recursion',
    object: 'policy {readers_own} on {s}.{readers}',
    sql: `${soundTable('letters', ', {owner_id} uuid unique')}
      ${ruled('readers', `exists (select from {s}.{letters} as l where l.{id} = {readers}.{letter_id} and l.{owner_id} = ${me})`, ', {letter_id} integer, {user_id} uuid unique')}
      grant select on {s}.{letters} to webuser;
      create policy {letters_own} on {s}.{letters} for select to webuser
        using (exists (select from {s}.{readers} as r where r.{letter_id} = {letters}.{id} and r.{user_id} = ${me}));`,
  },
  {
    // Over three tables and a view that reads as whoever asks.
    rule: 'policy-recursion',
    object: 'policy {roads_own} on {s}.{roads}',
    sql: `${soundTable('roads')} ${soundTable('towns')}
      ${commented('view', 'all_roads', 'with (security_invoker) as select {id} from {s}.{roads}')}
      grant select on {s}.{roads}, {s}.{towns}, {s}.{all_roads} to webuser;
      create policy {towns_own} on {s}.{towns} for select to webuser
        using (exists (select from {s}.{all_roads} as r where r.{id} = {towns}.{id} and ${me} is not null));
      ${ruled('lands', `exists (select from {s}.{towns} as t where t.{id} = {lands}.{id} and ${me} is not null)`)}
      create policy {roads_own} on {s}.{roads} for select to webuser
        using (exists (select from {s}.{lands} as l where l.{id} = {roads}.{id} and ${me} is not null));`,
  },
  {
    // A function that asks as whoever calls it, and so comes back to its caller.
    rule: 'policy-recursion',
    object: 'policy {deeds_own} on {s}.{deeds}',
    sql: `${soundTable('deeds')}
      ${soundFunction('{is_in}(integer)', 'returns boolean language plpgsql stable as $$ begin return exists (select from {s}.{deeds} as d where d.{id} = $1); end $$')}
      grant execute on function {s}.{is_in}(integer) to webuser;
      grant select on {s}.{deeds} to webuser;
      create policy {deeds_own} on {s}.{deeds} for select to webuser using ({s}.{is_in}({id}) and ${me} is not null);`,
  },
  {
    // The insert looks at its own table, whose policy to read has a question of its own.
    rule: 'policy-recursion',
    object: 'policy {turns_made} on {s}.{turns}',
    sql: `${ruled('turns', `{owner_id} = ${me}`, ', {owner_id} uuid unique')}
      grant insert ({id}, {owner_id}) on {s}.{turns} to webuser;
      create policy {turns_made} on {s}.{turns} for insert to webuser
        with check ({owner_id} = ${me} and not exists (select from {s}.{turns} as t where t.{id} = {turns}.{id} - 1));`,
  },
]

const refusals: PlantedFault[] = [
  {
    rule: 'policy-reads-ungranted',
    object: 'policy {pages_own} on {s}.{pages}',
    sql: `${soundTable('books', ', {owner_id} uuid unique')}
      ${ruled('pages', `exists (select from {s}.{books} as b where b.{id} = {pages}.{id} and b.{owner_id} = ${me})`)}`,
  },
  {
    rule: 'policy-reads-ungranted',
    object: 'policy {leaves_own} on {s}.{leaves}',
    sql: `${soundFunction('{is_leaf}(integer)', `returns boolean language plpgsql stable ${definer} as $$ begin return pie_schema.current_user_id() is not null and $1 > 0; end $$`)}
      ${ruled('leaves', '{s}.{is_leaf}({id})')}`,
  },
  {
    // One column of two.
    rule: 'policy-reads-ungranted',
    object: 'policy {halves_own} on {s}.{halves}',
    sql: `${ownTable('wholes', ', {kind} text', 'select ({id}, {owner_id})')}
      ${ruled('halves', `exists (select from {s}.{wholes} as w where w.{id} = {halves}.{id} and w.{kind} = 'x' and w.{owner_id} = ${me})`)}`,
    also: [{ rule: 'select-lists-columns', object: 'grant to webuser on table {s}.{wholes}' }],
  },
  {
    rule: 'view-reads-ungranted',
    object: 'grant to webuser on view {s}.{shelf}',
    sql: `${soundTable('books_kept')}
      ${commented('view', 'shelf', 'with (security_invoker) as select {id} from {s}.{books_kept}')}
      grant select on {s}.{shelf} to webuser;`,
  },
  {
    rule: 'view-reads-ungranted',
    object: 'grant to webuser on view {s}.{calls}',
    sql: `${soundFunction('{secretly}()', 'returns integer language sql immutable as $$ select 1 $$')}
      ${commented('view', 'calls', 'with (security_invoker) as select {s}.{secretly}() as {id}')}
      grant select on {s}.{calls} to webuser;`,
  },
  {
    rule: 'view-reads-ungranted',
    object: 'grant to webuser on view {s}.{one_of_two}',
    sql: `${ownTable('two', ', {body} text', 'select ({id}, {owner_id})')}
      ${commented('view', 'one_of_two', 'with (security_invoker) as select {id}, {body} as {text} from {s}.{two}')}
      comment on column {s}.{one_of_two}.{text} is 'A column.';
      grant select on {s}.{one_of_two} to webuser;`,
    also: [{ rule: 'select-lists-columns', object: 'grant to webuser on table {s}.{two}' }],
  },
]

const missing: PlantedFault[] = [
  {
    rule: 'change-without-select',
    object: 'grant to webuser on table {s}.{blind}',
    sql: ownTable('blind', ', {body} text', 'update ({body})'),
  },
  {
    rule: 'change-without-select',
    object: 'grant to webuser on table {s}.{cut}',
    sql: ownTable('cut', '', 'delete'),
  },
  {
    rule: 'change-without-select',
    object: 'grant to webuser on table {s}.{unseen}',
    sql: `${soundTable('unseen')}
      create policy {unseen_gone} on {s}.{unseen} for delete to webuser using ({id} = length(${me}::text));
      grant delete on {s}.{unseen} to webuser;`,
  },
  {
    rule: 'insert-that-cannot-succeed',
    object: 'grant to webuser on table {s}.{half_written}',
    sql: `${ownTable('half_written', ', {body} text not null, {kind} text not null', 'select')}
      grant insert ({id}, {owner_id}, {body}) on {s}.{half_written} to webuser;`,
  },
  {
    rule: 'insert-that-cannot-succeed',
    object: 'grant to webuser on table {s}.{of_domain}',
    sql: `create domain {s}.{said} as text not null; create domain {s}.{filled} as text not null default '';
      ${ownTable('of_domain', ', {body} {s}.{said}, {title} {s}.{filled}', 'select')}
      grant insert ({id}, {owner_id}) on {s}.{of_domain} to webuser;`,
  },
  {
    rule: 'insert-that-cannot-succeed',
    object: 'grant to webuser on table {s}.{keyless}',
    sql: `${ownTable('keyless', '', 'select')} grant insert ({owner_id}) on {s}.{keyless} to webuser;`,
  },
  {
    rule: 'insert-that-cannot-succeed',
    object: 'grant to webuser on table {s}.{only_made}',
    sql: `${soundTable('only_made', ', {body} text')}
      create policy {only_made_by_users} on {s}.{only_made} for insert to webuser with check (${me} is not null);
      grant insert ({body}) on {s}.{only_made} to webuser;`,
  },
  ...['bills', 'orders', 'visits'].map((name) => ({
    rule: 'insert-without-sequence',
    object: `grant to webuser on table {s}.{${name}}`,
    sql: `${ownTable(name, '', 'select').replace('integer primary key', 'bigserial primary key')}
      grant insert (${name === 'visits' ? '{id}, {owner_id}' : '{owner_id}'}) on {s}.{${name}} to webuser;`,
  })),
]

const unmatched: PlantedFault[] = [
  ...(['insert', 'delete'] as const).map((command) => ({
    rule: 'grant-without-policy',
    object: `grant to webuser on table {s}.{${command}_idle}`,
    sql: `${ruled(`${command}_idle`, `{owner_id} = ${me}`, ', {owner_id} uuid unique')}
      grant ${command} ${command === 'insert' ? '({id}, {owner_id})' : ''} on {s}.{${command}_idle} to webuser;`,
  })),
  {
    rule: 'grant-without-policy',
    object: 'grant to webuser on table {s}.{for_owner}',
    sql: `${soundTable('for_owner')} grant select on {s}.{for_owner} to webuser;`,
  },
  // All that there is was granted, and none of it can be used.
  {
    rule: 'grant-without-policy',
    object: 'grant to webuser on table {s}.{shut_out}',
    sql: `${soundTable('shut_out')}
      grant select, insert ({id}), update ({id}), delete on {s}.{shut_out} to webuser;`,
  },
  // A view would be refused them, which shows them another table's rows.
  {
    rule: 'grant-without-policy',
    object: 'grant to webuser on table {s}.{read_above}',
    isByHand: true,
    sql: `${soundTable('read_above')} grant select on {s}.{read_above} to webuser;
      ${commented('view', 'above', 'with (security_invoker) as select {id} from {s}.{read_above}')}
      grant select on {s}.{above} to webuser;`,
  },
  {
    rule: 'grant-without-policy',
    object: 'grant to webuser on table {s}.{blanket}',
    weight: 'style',
    sql: `${ruled('blanket', `{owner_id} = ${me}`, ', {owner_id} uuid unique')}
      grant insert ({id}), update ({owner_id}), delete on {s}.{blanket} to webuser;`,
  },
  ...(['insert', 'update', 'delete'] as const).map((command) => ({
    rule: 'policy-without-grant',
    object: `policy {${command}_by_users} on {s}.{${command}_unheard}`,
    sql: `${ruled(`${command}_unheard`, `{owner_id} = ${me}`, ', {owner_id} uuid unique')}
      create policy {${command}_by_users} on {s}.{${command}_unheard} for ${command} to webuser
        ${command === 'insert' ? 'with check' : 'using'} ({owner_id} = ${me});`,
  })),
]

/** What a request may set itself is no proof of anything, which is another fault. */
const trusted = (object: string) => ({
  rule: 'identity-from-setting',
  object,
  isByHand: true as const,
})

const settings: PlantedFault[] = [
  {
    rule: 'policy-setting-may-be-empty',
    object: 'policy {by_setting_own} on {s}.{by_setting}',
    also: [trusted('policy {by_setting_own} on {s}.{by_setting}')],
    sql: ruled('by_setting', `{id}::text = (select current_setting('app.who'))`),
  },
  {
    rule: 'policy-setting-may-be-empty',
    object: 'policy {by_number_own} on {s}.{by_number}',
    also: [trusted('policy {by_number_own} on {s}.{by_number}')],
    sql: ruled('by_number', `{id} = (select current_setting('app.user_id', true)::integer)`),
  },
  {
    rule: 'policy-setting-may-be-empty',
    object: 'policy {by_claim_own} on {s}.{by_claim}',
    also: [trusted('policy {by_claim_own} on {s}.{by_claim}')],
    sql: ruled(
      'by_claim',
      `{id}::text = (select (current_setting('app.claims', true)::json) ->> 'sub')`,
    ),
  },
  {
    rule: 'policy-setting-may-be-empty',
    object: 'function {s}.{asker}()',
    isByHand: true,
    also: [trusted('function {s}.{asker}()')],
    sql: `${soundFunction('{asker}()', `returns integer language sql stable as $$ select current_setting('app.user_id', true)::integer $$`)}
      grant execute on function {s}.{asker}() to webuser;
      ${ruled('by_asker', '{id} = (select {s}.{asker}())')}`,
  },
]

const schemas: PlantedFault[] = [
  {
    rule: 'grant-in-schema-without-usage',
    object: 'grants to unled in schema {s}',
    onOwnServer: 'create role unled login',
    sql: `${soundTable('afar')} ${soundTable('far')}
      create policy {far_few} on {s}.{far} for select to unled using ({id} = 1);
      create policy {afar_few} on {s}.{afar} for select to unled using ({id} = 1);
      grant select on {s}.{far}, {s}.{afar} to unled;`,
    cleanUp: 'drop owned by unled; drop role unled',
  },
]

export const faultsOfFailures: readonly PlantedFault[] = [
  ...recursions,
  ...refusals,
  ...missing,
  ...unmatched,
  ...settings,
  ...schemas,
]
