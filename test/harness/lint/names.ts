/**
 * Schemas for `pie lint` are written once and made under several names: in their SQL, `{s}` is the schema,
 * `{notes}` anything in it, and `{'notes}` the same inside a literal.
 */
export interface Names {
  /** The schema's name, without quotes. */
  schema: string
  /** Puts the names in, as SQL writes them. */
  fill(sql: string): string
}

const filler = (schema: string, name: (word: string) => string) => (sql: string) =>
  sql.replaceAll(/\{('?)(\w+)\}/g, (_, quote: string, word: string) => {
    const named = word === 's' ? schema : name(word)
    return quote === '' ? named : named.replaceAll("'", "''")
  })

export const plainNames = (schema: string): Names => ({
  schema,
  fill: filler(schema, (word) => word),
})

/** Names that have to be quoted, with everything in them that could come in the way. */
export const weirdNames = (schema: string): Names => ({
  schema: `${schema} "&" Co.`,
  fill: filler(`"${schema} ""&"" Co."`, (word) => `"It's ""${word}"" (1)"`),
})

export const schemaAlone = `
  create schema {s};
  comment on schema {s} is 'A schema.';
  grant usage on schema {s} to webuser, webadmin, cream;`

/** A table that nothing is wrong with, and that nobody is granted. @param columns beside its id, each after a comma */
export function soundTable(name: string, columns = ''): string {
  return `
    create table {s}.{${name}} ({id} integer primary key${columns});
    alter table {s}.{${name}} enable row level security, force row level security;
    create policy {${name}_for_owner} on {s}.{${name}} to current_user using (true) with check (true);
    comment on table {s}.{${name}} is 'A table.';
    do $$
    declare
      name text;
    begin
      for name in select attname from pg_attribute where attrelid = '{'s}.{'${name}}'::regclass and attnum > 0 loop
        execute format('comment on column {'s}.{'${name}}.%I is %L', name, 'A column.');
      end loop;
    end
    $$;`
}

/** One whose rows are somebody's, who may do with them what is granted. */
export function ownTable(name: string, columns: string, grants: string): string {
  return `${soundTable(name, `, {owner_id} uuid unique${columns}`)}
    create policy {${name}_own} on {s}.{${name}} to webuser
      using ({owner_id} = (select pie_schema.current_user_id()))
      with check ({owner_id} = (select pie_schema.current_user_id()));
    grant ${grants} on {s}.{${name}} to webuser;`
}

/** What a row of it has to be to be somebody's. */
export const ownRow = '{owner_id} = (select pie_schema.current_user_id())'

/** One whose rows webuser and webadmin read and write as their own. */
export function sharedTable(name: string): string {
  return `${soundTable(name, ', {owner_id} uuid, {body} text')}
    create index on {s}.{${name}} ({owner_id});
    create policy {${name}_own} on {s}.{${name}} to webuser, webadmin using (${ownRow}) with check (${ownRow});
    grant select on {s}.{${name}} to webuser, webadmin;
    grant insert ({id}, {owner_id}, {body}), update ({id}, {body}) on {s}.{${name}} to webuser, webadmin;
    grant delete on {s}.{${name}} to webuser, webadmin;`
}

/** Anything else that has columns, or one: its id. @param making what comes after its name */
export function commented(kind: string, name: string, making: string, column = 'id'): string {
  return `
    create ${kind} {s}.{${name}} ${making};
    comment on ${kind} {s}.{${name}} is 'A ${kind}.';
    comment on column {s}.{${name}}.{${column}} is 'A column.';`
}

/** A function that nobody may execute. @param callable `{name}(integer)` @param rest what comes after that */
export function soundFunction(callable: string, rest: string, kind = 'function'): string {
  return `
    create ${kind} {s}.${callable} ${rest};
    revoke execute on ${kind} {s}.${callable} from public;
    comment on ${kind} {s}.${callable} is 'A ${kind}.';`
}
