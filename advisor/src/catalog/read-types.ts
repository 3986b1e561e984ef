import type { Cast, Operator, Type } from './catalog.ts'
import { FIRST_OID_OF_OTHERS } from './read-parts.ts'
import { isPassing, type Reading } from './reading.ts'

export async function readOperators({ ask }: Reading): Promise<Map<number, Operator>> {
  const rows = await ask<Operator>(`
    select oid, oprname as name, oprnamespace as schema, oprcode::oid as function, oprleft as left, oprright as right
    from pg_operator`)
  return new Map(rows.map((row) => [row.oid, row]))
}

export async function readTypes({ ask, readAcl }: Reading): Promise<Map<number, Type>> {
  const rows = await ask<
    Omit<Type, 'acl' | 'fields'> & { acl: string[]; parts: [string, string][] }
  >(`
    select t.oid, typnamespace as schema, typname as name, format_type(t.oid, null) as sql, typtype as kind,
      typbasetype as base, typelem as element, typrelid as relation, typinput::oid as input,
      typnotnull and typdefault is null as "isNeverNull",
      coalesce(typacl, acldefault('T', typowner))::text[] as acl,
      case when typtype = 'c' and t.oid >= ${FIRST_OID_OF_OTHERS}
        and exists (select from pg_class where pg_class.oid = typrelid and relkind = 'c') then array(
        select array[attname::text, atttypid::text] from pg_attribute
        where attrelid = typrelid and attnum > 0 and not attisdropped) else '{}' end as parts
    from pg_type as t join pg_namespace as n on n.oid = typnamespace where not ${isPassing('nspname')}`)
  return new Map(
    rows.map(({ parts, ...row }) => [
      row.oid,
      {
        ...row,
        acl: readAcl(row.acl),
        fields: parts.map(([name, type]) => ({ name, type: Number(type) })),
      },
    ]),
  )
}

export const readCasts = ({ ask }: Reading): Promise<Cast[]> =>
  ask<Cast>(`
    select castsource as source, casttarget as target, castfunc as function, castcontext as context from pg_cast`)
