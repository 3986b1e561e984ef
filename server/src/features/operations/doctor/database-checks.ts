import type { Check } from './finding.ts'

/** The lowest minor version of each major that checks row-level security right when one connection works as several roles. */
const fixedMinors = `(values (15, 9), (16, 5), (17, 1))`

/** The server and the database as a whole. */
export const databaseChecks: Check[] = [
  {
    name: 'server-version',
    weight: 'opens',
    why: 'It may apply one role’s policies to another (CVE-2024-10976), and Pie’s connections work as several. A minor upgrade needs no dump.',
    query: `select 'server' as object, format('is PostgreSQL %s.%s', major, minor) as what, null as mend
      from (select current_setting('server_version_num')::integer / 10000 as major, current_setting('server_version_num')::integer % 10000 as minor) as version
      left join ${fixedMinors} as fixed (fixed_major, fixed_minor) on fixed_major = major
      where major < 15 or minor < fixed_minor`,
  },
  {
    name: 'database-settings',
    weight: 'hinders',
    why: 'It holds for every new connection to the database, Pie’s too.',
    query: `select case when datname is null then 'server' else format('database %I', datname) end as object,
        format('has the setting %s%s', setting, case when datname is null then ' for every role' else '' end) as what,
        case when datname is null then format('alter role all reset %s;', split_part(setting, '=', 1))
          else format('alter database %I reset %s;', datname, split_part(setting, '=', 1)) end as mend,
        case when split_part(setting, '=', 1) in ('session_replication_role', 'role', 'session_preload_libraries', 'local_preload_libraries')
          and setting <> 'session_replication_role=origin' then 'opens' end as weight
      from pg_db_role_setting
      left join pg_database on pg_database.oid = setdatabase
      cross join lateral unnest(setconfig) as setting
      where setrole = 0 and (setdatabase = 0 or datname = current_database()) and split_part(setting, '=', 1) in (
        'default_transaction_read_only', 'default_transaction_isolation', 'default_transaction_deferrable', 'statement_timeout',
        'lock_timeout', 'transaction_timeout', 'idle_session_timeout', 'idle_in_transaction_session_timeout', 'search_path',
        'row_security', 'session_replication_role', 'role', 'session_preload_libraries', 'local_preload_libraries',
        'datestyle', 'intervalstyle', 'timezone', 'bytea_output', 'client_encoding', 'quote_all_identifiers', 'standard_conforming_strings', 'check_function_bodies',
        'dynamic_library_path'
      )`,
    isSafe: false,
  },
  {
    name: 'read-only-server',
    weight: 'hinders',
    why: 'Nobody can sign in or out, and nodes answer 503. Where this is a standby, another server is the primary.',
    query: `select 'server' as object,
        case when pg_is_in_recovery() then 'is a standby' else 'takes no changes: default_transaction_read_only is set' end as what, null as mend
      where pg_is_in_recovery() or current_setting('default_transaction_read_only')::boolean`,
  },
  {
    name: 'replication-role',
    weight: 'opens',
    why: 'Ordinary triggers and foreign keys stay silent in such a session.',
    // The roles of requests are in role-settings, a database in database-settings.
    query: `select 'server' as object, format('has session_replication_role = %s', reset_val) as what, 'alter system reset session_replication_role;' as mend,
        'opens' as weight
      from pg_settings where name = 'session_replication_role' and reset_val <> 'origin' and source in ('configuration file', 'command line')
      union all
      select format('role %I', rolname), format('has the setting %s%s', setting, ' in the database ' || datname),
        format('alter role %I%s reset session_replication_role;', rolname, ' in database ' || quote_ident(datname)),
        case rolname when $3::text then 'opens' else 'tells' end
      from pg_db_role_setting
      join pg_roles on pg_roles.oid = setrole
      left join pg_database on pg_database.oid = setdatabase
      cross join lateral unnest(setconfig) as setting
      where (setdatabase = 0 or datname = current_database()) and rolname not in ('webuser', 'webadmin', $1::text, $2::text)
        and setting ~ '^session_replication_role=' and setting <> 'session_replication_role=origin'`,
    isSafe: false,
  },
  {
    name: 'children-of-tables',
    weight: 'opens',
    why: 'A table that inherits from one of Pie’s adds rows to it, which nobody has checked.',
    // The partitions of the audit log, which are looked at as tables of Pie's, and nobody else's.
    query: `select format('table %s', inhrelid::regclass) as object, format('inherits from %s', inhparent::regclass) as what,
        format('alter table %s %s %s;', case parent.relkind when 'p' then inhparent::regclass else inhrelid::regclass end,
          case parent.relkind when 'p' then 'detach partition' else 'no inherit' end,
          case parent.relkind when 'p' then inhrelid::regclass else inhparent::regclass end) as mend
      from pg_inherits
      join pg_class as parent on parent.oid = inhparent
      join pg_class as child on child.oid = inhrelid
      join pg_namespace on pg_namespace.oid = parent.relnamespace
      where nspname in ('pie_schema', 'pie_private')
        and (parent.relkind = 'r' or parent.relkind = 'p' and (child.relkind <> 'r' or child.relnamespace <> parent.relnamespace))`,
    isSafe: false,
  },
  {
    name: 'rules-on-tables',
    weight: 'opens',
    why: 'A rule rewrites what is asked of the table.',
    query: `select format('rule %I on %s', rulename, ev_class::regclass) as object, 'is none of Pie’s' as what,
        format('drop rule %I on %s;', rulename, ev_class::regclass) as mend
      from pg_rewrite
      join pg_class on pg_class.oid = ev_class
      join pg_namespace on pg_namespace.oid = relnamespace
      where nspname in ('pie_schema', 'pie_private') and (relkind in ('r', 'p') or rulename <> '_RETURN')`,
    isSafe: false,
  },
]
