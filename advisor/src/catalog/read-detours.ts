import type { AclItem } from './acl.ts'
import type { Detours } from './detours.ts'
import { isOfPostgres, type Reading } from './reading.ts'

/** As the query answers, before rights are read. */
type Raw<T> = { [Key in keyof T]: T[Key] extends AclItem[] ? string[] | null : T[Key] }
interface Row extends Pick<Detours, 'publications' | 'databaseSettings' | 'extensions'> {
  views: { oid: number; writes: number; hasCheckOption: boolean }[] | null
  foreignServers: Raw<Detours['foreignServers'][number]>[] | null
  foreignDataWrappers: Raw<Detours['foreignDataWrappers'][number]>[] | null
  trustedLanguages: string[] | null
  largeObjects: Raw<Detours['largeObjects'][number]>[] | null
  changedPrivileges: Raw<Detours['changedPrivileges'][number]>[] | null
}

/** Questions that answer with one column. */
const lists: ReadonlySet<string> = new Set(['trustedLanguages', 'databaseSettings'])

/** In one round trip. */
export async function readDetours({ ask, readAcl }: Reading): Promise<Detours> {
  const parts = Object.entries(questions).map(
    ([name, question]) =>
      `(select json_agg(${lists.has(name) ? 'given.value' : 'given'}) from (${question}) as given) as "${name}"`,
  )
  const [row] = await ask<Row>(`select ${parts.join(',\n')}`)
  if (row === undefined) throw new Error('a query without a table has one row')
  const changed = row.changedPrivileges ?? []
  return {
    views: new Map(
      (row.views ?? []).map(({ oid, writes, hasCheckOption }) => [
        oid,
        { canInsert: (writes & INSERT) > 0, canUpdate: (writes & UPDATE) > 0, hasCheckOption },
      ]),
    ),
    publications: row.publications ?? [],
    databaseSettings: row.databaseSettings ?? [],
    extensions: row.extensions ?? [],
    foreignServers: (row.foreignServers ?? []).map((one) => ({ ...one, acl: readAcl(one.acl) })),
    foreignDataWrappers: (row.foreignDataWrappers ?? []).map((one) => ({
      ...one,
      acl: readAcl(one.acl),
    })),
    trustedLanguages: new Set(row.trustedLanguages ?? []),
    largeObjects: (row.largeObjects ?? []).map((one) => ({ ...one, acl: readAcl(one.acl) })),
    changedPrivileges: changed.map((one) => ({
      ...one,
      acl: readAcl(one.acl),
      initial: readAcl(one.initial),
    })),
  }
}

/** As pg_relation_is_updatable tells commands: 1 << CmdType. */
const UPDATE = 4
const INSERT = 8

/** The first rights of something, or null where it had none of its own. */
const initial = (catalog: string, oid: string, column = '0') => `(
  select initprivs::text[] from pg_init_privs
  where classoid = '${catalog}'::regclass and objoid = ${oid} and objsubid = ${column}
)`

/** What information_schema has at first is kept nowhere; all of it is for everybody. */
const ofPostgres = `n.nspname = 'pg_catalog'`

/** Rights of Postgres' own that are others than at first. What stands in no list is as it is by default. */
const changedPrivileges = `
  select concat(case when relkind = 'S' then 'sequence ' else 'table ' end, format('%I.%I', nspname, relname)) as object,
    relname as name, relacl::text[] as acl, coalesce(i.given, '{}') as initial
  from pg_class join pg_namespace as n on n.oid = relnamespace
  cross join lateral (select ${initial('pg_class', 'pg_class.oid')} as given) as i
  where ${ofPostgres} and relacl is not null and relacl::text[] is distinct from i.given
  union all
  select format('%s of %I.%I', quote_ident(attname), nspname, relname), relname, attacl::text[], coalesce(i.given, '{}')
  from pg_attribute join pg_class on pg_class.oid = attrelid join pg_namespace as n on n.oid = relnamespace
  cross join lateral (select ${initial('pg_class', 'attrelid', 'attnum')} as given) as i
  where ${ofPostgres} and attacl is not null and attacl::text[] is distinct from i.given
  union all
  select concat(case prokind when 'p' then 'procedure ' else 'function ' end,
      format('%I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(pg_proc.oid))),
    proname, proacl::text[], coalesce(i.given, acldefault('f', proowner)::text[])
  from pg_proc join pg_namespace as n on n.oid = pronamespace
  cross join lateral (select ${initial('pg_proc', 'pg_proc.oid')} as given) as i
  where ${ofPostgres} and proacl is not null and proacl::text[] is distinct from i.given`

const questions = {
  views: `
    select c.oid::int8, pg_relation_is_updatable(c.oid, false) as writes, coalesce(
      reloptions::text ~ 'check_option=', false) as "hasCheckOption"
    from pg_class as c join pg_namespace as n on n.oid = relnamespace
    where relkind = 'v' and not ${isOfPostgres('nspname')}`,
  publications: `
    select pubname as name, quote_ident(pubname) as sql, puballtables as "ofAllTables",
      array(select pnnspid::int8 from pg_publication_namespace where pnpubid = p.oid) as schemas,
      coalesce((
        select json_agg(json_build_object('relation', prrelid::int8, 'hasRowFilter', prqual is not null))
        from pg_publication_rel where prpubid = p.oid
      ), '[]') as tables
    from pg_publication as p order by pubname`,
  // Options, which hold passwords, are not asked for.
  foreignServers: `
    select s.oid::int8, srvname as name, quote_ident(srvname) as sql, fdwname as wrapper, srvowner::int8 as owner,
      srvacl::text[] as acl, array(select umuser::int8 from pg_user_mappings as m where m.srvid = s.oid) as "mappedRoles"
    from pg_foreign_server as s join pg_foreign_data_wrapper as w on w.oid = srvfdw order by srvname`,
  foreignDataWrappers: `
    select quote_ident(fdwname) as sql, fdwowner::int8 as owner, fdwacl::text[] as acl from pg_foreign_data_wrapper order by 1`,
  trustedLanguages: `select lanname as value from pg_language where lanpltrusted or lanname = 'sql'`,
  largeObjects: `
    select oid::int8, lomowner::int8 as owner, lomacl::text[] as acl from pg_largeobject_metadata
    where lomacl is not null order by oid limit 1000`,
  changedPrivileges,
  databaseSettings: `
    select setting as value from pg_db_role_setting, unnest(setconfig) as setting
    where setrole = 0 and setdatabase = (select oid from pg_database where datname = current_database())`,
  extensions: `
    select extname as name, quote_ident(extname) as sql, extnamespace::int8 as schema, extowner::int8 as owner, extversion as version,
      default_version as "availableVersion", extrelocatable as "canMove"
    from pg_extension left join pg_available_extensions() as there on there.name = extname order by extname`,
}
