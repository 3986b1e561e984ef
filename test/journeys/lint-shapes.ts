/** Schemas for `pie lint`: a sound one, and one with a fault for each rule, under any names. */

/** How a schema and what stands in it are named, as SQL writes them. */
export interface Names {
  schema: string
  /** The schema's name without quotes. */
  schemaName: string
  of(name: string): string
}

export const plainNames = (schema: string): Names => ({
  schema,
  schemaName: schema,
  of: (name) => name.replaceAll('-', '_'),
})

/** Names that have to be quoted, with everything in them that could come in the way. */
export const weirdNames = (schema: string): Names => ({
  schema: `"${schema} ""&"" Co."`,
  schemaName: `${schema} "&" Co.`,
  of: (name) => `"It's ""${name}"" (1)"`,
})

export interface PlantedFault {
  rule: string
  object: string
  sql: string
}

export function makeSchema({ schema }: Names): string {
  return `create schema ${schema};
    comment on schema ${schema} is 'A schema.';
    grant usage on schema ${schema} to webuser;`
}

/** A table to which nothing is wrong, which nobody is granted. */
function soundTable({ schema, of }: Names, name: string, columns = ''): string {
  const table = `${schema}.${of(name)}`
  return `create table ${table} (${of('id')} integer primary key${columns});
    alter table ${table} enable row level security;
    alter table ${table} force row level security;
    create policy ${of(`${name}_for_owner`)} on ${table} to current_user using (true) with check (true);
    comment on table ${table} is 'A table.';
    do $$ declare name text; begin
      for name in select attname from pg_attribute where attrelid = '${table.replaceAll("'", "''")}'::regclass and attnum > 0 loop
        execute format('comment on column ${table.replaceAll("'", "''")}.%I is %L', name, 'A column.');
      end loop;
    end $$;`
}

function soundFunction(
  { schema, of }: Names,
  signature: string,
  rest: string,
  kind = 'function',
): string {
  const [name = '', types = ''] = signature.replace(')', '').split('(')
  const callable = `${kind} ${schema}.${of(name)}(${types})`
  return `create ${callable} ${rest};
    revoke execute on ${callable} from public;
    comment on ${callable} is 'A ${kind}.';`
}

/** Every shape that the rules look at, as it should be. */
export function soundShapes(names: Names): string {
  const { schema, of } = names
  const [notes, shares, events] = ['notes', 'shares', 'events'].map(
    (name) => `${schema}.${of(name)}`,
  )
  const policies = `
    create policy ${of('notes_own')} on ${notes} to webuser
      using (${of('owner_id')} = (select pie_schema.current_user_id()))
      with check (${of('owner_id')} = (select pie_schema.current_user_id()));
    create policy ${of('notes_shared')} on ${notes} for select to webuser using (exists (
      select from ${shares} as s where s.${of('note_id')} = ${notes}.${of('id')}
        and s.${of('reader_id')} = (select pie_schema.current_user_id())
    ));
    create policy ${of('notes_by_row')} on ${notes} for delete to webadmin
      using (${schema}.${of('is_mine')}(${of('owner_id')}) and ${of('body')} <> '${schema.replaceAll("'", "''")}.is_mine(');
    create policy ${of('notes_open')} on ${notes} as restrictive using (not ${of('is_hidden')} or ${of('is_hidden')} = false);
    create policy ${of('shares_own')} on ${shares} for select to webuser
      using (${of('reader_id')} = any (array(select pie_schema.current_user_id())));`
  return [
    makeSchema(names),
    soundFunction(
      names,
      'is_mine(uuid)',
      'returns boolean language sql stable as $$ select $1 = pie_schema.current_user_id() $$',
    ),
    soundFunction(
      names,
      'is_mine(uuid, text)',
      `returns boolean language plpgsql stable security definer set search_path = pg_catalog, "${names.schemaName.replaceAll('"', '""')}", pg_temp
       as $$ begin if $2 is null then return null; end if; return $1 is not null; end $$`,
    ),
    soundFunction(
      names,
      'rolls(integer)',
      'returns double precision language sql as $$ select random() $$',
    ),
    soundFunction(
      names,
      'cleans(integer)',
      'returns void language sql as $$ delete from pie_schema.user_roles where false $$',
    ),
    soundFunction(names, 'works(integer)', 'language sql as $$ select 1 $$', 'procedure'),
    soundFunction(
      names,
      'touch()',
      'returns trigger language plpgsql as $$ begin return new; end $$',
    ),
    soundFunction(
      names,
      'once(integer)',
      `returns integer language plpgsql stable security definer set search_path = pg_catalog, pg_temp
       as $$ begin return 1; end $$`,
    ),
    soundTable(
      names,
      'notes',
      `, ${of('owner_id')} uuid not null references pie_schema.users on delete cascade, ${of('body')} text,
        ${of('is_hidden')} boolean, ${of('length')} integer generated always as (length(${of('body')})) stored`,
    ),
    `create index on ${notes} (${of('owner_id')});`,
    soundTable(
      names,
      'shares',
      `, ${of('note_id')} integer not null references ${notes} on delete cascade,
        ${of('reader_id')} uuid references pie_schema.users on delete set null`,
    ),
    `create index on ${shares} (${of('note_id')}, ${of('reader_id')});
    create index on ${shares} (${of('reader_id')}) where ${of('reader_id')} is not null;`,
    policies,
    `grant select on ${notes}, ${shares} to webuser;
    grant insert (${of('owner_id')}, ${of('body')}), update (${of('body')}) on ${notes} to webuser;
    grant delete on ${notes} to webadmin;
    comment on table ${notes} is E'@name jotting\\n@behavior +query:resource:list\\nA note; write me to ada@behavior.example - soon.';`,
    `create view ${schema}.${of('texts')} with (security_invoker = on) as select ${of('body')} from ${notes};
    grant select on ${schema}.${of('texts')} to webuser;
    comment on view ${schema}.${of('texts')} is 'A view.';
    comment on column ${schema}.${of('texts')}.${of('body')} is 'A column.';`,
    `create materialized view ${schema}.${of('counts')} as select count(*) as ${of('count')} from ${notes};
    comment on materialized view ${schema}.${of('counts')} is 'A materialized view.';
    comment on column ${schema}.${of('counts')}.${of('count')} is 'A column.';`,
    `create foreign table ${schema}.${of('afar')} (${of('id')} integer) server nowhere;
    comment on foreign table ${schema}.${of('afar')} is 'A foreign table.';
    comment on column ${schema}.${of('afar')}.${of('id')} is 'A column.';`,
    `create table ${events} (${of('id')} integer, ${of('note_id')} integer references ${notes} on delete cascade) partition by list (${of('id')});
    create index on ${events} (${of('note_id')});
    create table ${schema}.${of('events_rest')} partition of ${events} default;
    create policy ${of('events_for_owner')} on ${events} to current_user using (true);
    comment on table ${events} is 'A table.';
    comment on column ${events}.${of('id')} is 'A column.';
    comment on column ${events}.${of('note_id')} is 'A column.';`,
    ...[events, `${schema}.${of('events_rest')}`].map(
      (table) => `alter table ${table} enable row level security;
    alter table ${table} force row level security;`,
    ),
  ].join('\n')
}

/** One fault for each rule, and more where a rule has more than one side. */
export function plantedFaults(names: Names): PlantedFault[] {
  const { schema, of } = names
  const table = (name: string) => `${schema}.${of(name)}`
  const onTable = (rule: string, sql: (table: string) => string, columns = ''): PlantedFault => ({
    rule,
    object: `table ${table(rule)}`,
    sql: soundTable(names, rule, columns) + sql(table(rule)),
  })
  const grantOn = (rule: string, role: string, sql: string): PlantedFault => ({
    rule,
    object: `grant to ${role} on table ${table(rule)}`,
    sql: `${soundTable(names, rule, `, ${of('body')} text, ${of('number')} integer generated always as identity`)}
      grant ${sql} on ${table(rule)} to ${role};`,
  })
  const policy = (rule: string, to: string, using: string): PlantedFault => ({
    rule,
    object: `policy ${of(`${rule}_own`)} on ${table(rule)}`,
    sql: `${soundTable(names, rule)}
      create policy ${of(`${rule}_own`)} on ${table(rule)} ${to} using (${using});`,
  })
  const functionWith = (rule: string, rest: string, signature = `${rule}(integer)`) => ({
    rule,
    object: `function ${schema}.${of(signature.replace(/\(.*/, ''))}${signature.replace(/^[^(]*/, '')}`,
    sql: soundFunction(names, signature, rest),
  })
  const foreignKey = (rule: string, onDelete: string, index: string): PlantedFault => ({
    rule,
    object: `foreign key ${of(`${rule}_user`)} on ${table(rule)}`,
    sql: `${soundTable(
      names,
      rule,
      `, ${of('user_id')} uuid constraint ${of(`${rule}_user`)} references pie_schema.users on update cascade ${onDelete} deferrable`,
    )} ${index}`,
  })
  const stable = (name: string, rest = 'language sql stable') =>
    soundFunction(
      names,
      `${name}()`,
      `returns integer ${rest} as $$ select current_setting('x.y', true)::integer $$`,
    )
  const hook = `pie_hooks.${of(`hook_${schema.length}`)}`
  const perRow = 'policy-calls-function-per-row'
  const volatile = 'policy-calls-volatile-function'
  const unindexed = 'policy-column-without-index'

  return [
    onTable(
      'table-without-row-level-security',
      (it) => `alter table ${it} disable row level security, no force row level security;`,
    ),
    {
      rule: 'table-without-row-level-security',
      object: `table ${table('part')}`,
      sql: `${soundTable(names, 'whole')} drop table ${table('whole')};
        create table ${table('whole')} (${of('id')} integer) partition by list (${of('id')});
        create table ${table('part')} partition of ${table('whole')} default;
        alter table ${table('whole')} enable row level security, force row level security;
        create policy ${of('whole_for_owner')} on ${table('whole')} to current_user using (true);
        comment on table ${table('whole')} is 'A table.';
        comment on column ${table('whole')}.${of('id')} is 'A column.';`,
    },
    onTable(
      'table-without-policy',
      (it) =>
        `drop policy ${of('table-without-policy_for_owner')} on ${it}; grant select on ${it} to webuser;`,
    ),
    onTable(
      'row-level-security-not-forced',
      (it) =>
        `alter table ${it} no force row level security; drop policy ${of('row-level-security-not-forced_for_owner')} on ${it}; create policy ${of('p')} on ${it} to webuser using (false);`,
    ),
    onTable(
      'owned-by-role-of-requests',
      (it) => `grant create on schema ${schema} to webuser;
      alter table ${it} owner to webuser; revoke create on schema ${schema} from webuser;`,
    ),
    {
      rule: 'schema-open-to-role-of-requests',
      object: `grant to cream on schema ${schema}`,
      sql: `grant create on schema ${schema} to cream;`,
    },
    grantOn('trigger-granted', 'webadmin', 'trigger'),
    grantOn('granted-to-public', 'public', 'select'),
    grantOn('grant-past-policies', 'webuser', 'truncate, references'),
    grantOn('select-lists-columns', 'webuser', `select (${of('id')})`),
    grantOn('insert-on-whole-table', 'webuser', 'insert'),
    grantOn('update-on-whole-table', 'webuser', 'update'),
    {
      rule: 'foreign-table-granted',
      object: `grant to webuser on foreign table ${table('far')}`,
      sql: `create foreign table ${table('far')} (${of('id')} integer) server nowhere;
        grant select on ${table('far')} to webuser;
        comment on foreign table ${table('far')} is 'A foreign table.';
        comment on column ${table('far')}.${of('id')} is 'A column.';`,
    },
    {
      rule: 'materialized-view-granted',
      object: `grant to webuser on materialized view ${table('kept')}`,
      sql: `create materialized view ${table('kept')} as select 1 as ${of('id')};
        grant select on ${table('kept')} to webuser;
        comment on materialized view ${table('kept')} is 'A materialized view.';
        comment on column ${table('kept')}.${of('id')} is 'A column.';`,
    },
    {
      rule: 'view-not-security-invoker',
      object: `view ${table('seen')}`,
      sql: `create view ${table('seen')} with (security_invoker = off, security_barrier) as select 1 as ${of('id')};
        comment on view ${table('seen')} is 'A view.';
        comment on column ${table('seen')}.${of('id')} is 'A column.';`,
    },
    policy('policy-to-public', '', 'false'),
    policy(volatile, 'to webuser', `(select ${schema}.${of('dice')}()) > ${of('id')}`),
    policy(
      perRow,
      'to webuser',
      `${of('id')} = ${schema}.${of('mine')}() and 'mine()' <> '${schema.replaceAll("'", "''")}.${of('mine').replaceAll("'", "''")}('
        and ${of('id')} <> (select ${schema}.${of('mine')}()) and ${of('id')} <> coalesce(${schema}.${of('mine')}(), 7)`,
    ),
    {
      rule: perRow,
      object: `policy ${of('listed_own')} on ${table('listed')}`,
      sql: `${soundTable(names, 'listed')}
        create policy ${of('listed_own')} on ${table('listed')} to webuser
          using (${of('id')} = any (string_to_array(current_setting('x.y'), ',')::integer[]) and ${of('id')} in (
            select count(*) from pie_schema.roles group by current_setting('x.y') having current_setting('x.y') <> ''
          ) and ${of('id')}::text <> all (string_to_array(current_setting('x.y'), ',')));`,
    },
    {
      rule: unindexed,
      object: `column ${table(unindexed)}.${of('owner_id')}`,
      sql: `${soundTable(names, unindexed, `, ${of('owner_id')} integer, ${of('kind')} varchar(9)`)}
        create policy ${of('unindexed_own')} on ${table(unindexed)} to webuser
          using ((select ${schema}.${of('mine')}()) = ${of('owner_id')} and ${of('kind')} = 'own');`,
    },
    {
      rule: unindexed,
      object: `column ${table('looked_up')}.${of('reader_id')}`,
      sql: `${soundTable(names, 'looked_up', `, ${of('reader_id')} integer`)} ${soundTable(names, 'looking_up')}
        create policy ${of('looking_own')} on ${table('looking_up')} to webuser using (exists (
          select from ${table('looked_up')} as l where l.${of('reader_id')} = ${table('looking_up')}.${of('id')}
        ));`,
    },
    {
      rule: 'executable-by-public',
      object: `function ${table('open')}(text)`,
      sql: `${soundFunction(names, 'open(integer)', 'returns integer language sql immutable as $$ select 1 $$')}
        ${soundFunction(names, 'open(text)', 'returns integer language sql immutable as $$ select 1 $$')}
        grant execute on function ${table('open')}(text) to public;`,
    },
    {
      rule: 'hook-executable-by-others',
      object: `grant to webuser on function ${hook}(uuid)`,
      sql: `create function ${hook}(uuid) returns integer language sql immutable as $$ select 1 $$;
        revoke execute on function ${hook}(uuid) from public;
        grant execute on function ${hook}(uuid) to webuser;
        comment on function ${hook}(uuid) is 'A hook.';`,
    },
    functionWith(
      'security-definer-without-search-path',
      'returns integer language sql immutable security definer as $$ select 1 $$',
    ),
    functionWith(
      'search-path-without-pg-temp-last',
      `returns integer language sql immutable security definer set search_path = pg_temp, "A, B", pg_catalog as $$ select 1 $$`,
    ),
    functionWith(
      'search-path-without-pg-temp-last',
      `returns integer language sql immutable security definer set search_path = '' as $$ select 1 $$`,
      'empty_path(integer)',
    ),
    functionWith(
      'volatile-that-only-reads',
      `returns integer language plpgsql as $$ begin /* inserts */ perform 'insert'; return 1; -- sets
      end $$`,
    ),
    functionWith(
      'volatile-that-only-reads',
      `returns bigint begin atomic select count(*) from pie_schema.roles; end`,
      'counts_roles(integer)',
    ),
    functionWith(
      'plpgsql-that-could-be-sql',
      `returns text language plpgsql immutable as $$ -- one query
      begin return 'a;b' || $1; end; $$`,
    ),
    functionWith(
      'plpgsql-that-could-be-sql',
      `returns setof integer language plpgsql immutable as $$ begin return query select 1 union select $1; end $$`,
      'rows_of(integer)',
    ),
    foreignKey(
      'foreign-key-without-on-delete',
      '',
      `create index on ${table('foreign-key-without-on-delete')} (${of('user_id')});`,
    ),
    foreignKey(
      'foreign-key-without-index',
      'on delete cascade',
      `create index on ${table('foreign-key-without-index')} (${of('id')}, ${of('user_id')});`,
    ),
    onTable(
      'permission-in-comment',
      (it) =>
        `comment on table ${it} is E'@omit delete\\n@behavior +select -insert\\nA \\\\ table, it''s.';`,
    ),
    {
      rule: 'permission-in-comment',
      object: `constraint ${of('hidden_key')} on ${table('hidden')}`,
      sql: `${soundTable(names, 'hidden')}
        alter table ${table('hidden')} add constraint ${of('hidden_key')} check (true);
        comment on constraint ${of('hidden_key')} on ${table('hidden')} is '@omit';`,
    },
    onTable('without-comment', (it) => `comment on table ${it} is null;`),
    {
      rule: 'without-comment',
      object: `column ${table('silent')}.${of('id')}`,
      sql: `${soundTable(names, 'silent')} comment on column ${table('silent')}.${of('id')} is null;`,
    },
  ].map((fault, index) =>
    index === 0
      ? {
          ...fault,
          sql: `${stable('mine')} ${soundFunction(names, 'dice()', 'returns integer language sql as $$ select (random() * 6)::integer $$')} ${fault.sql}`,
        }
      : fault,
  )
}
