import type { Catalog, CatalogProc } from './catalog.ts'
import { knowTypes } from './know-types.ts'
import type { Touchable } from './read-touchable.ts'
import type { SchemaProblem } from './schema-problem.ts'

/** Leaves out functions that PostGraphile has no field for, each with its reason: it would do so silently. */
export function leaveOutFunctions(
  catalog: Catalog,
  { functions, others }: Touchable,
  role: string,
): { catalog: Catalog; problems: SchemaProblem[] } {
  const findUnknown = knowTypes(catalog)
  const alike = Map.groupBy(catalog.procs, (proc) => `${proc.pronamespace} ${proc.proname}`)
  const nameOf = ({ _id }: CatalogProc) => functions[_id] ?? _id
  const why = (proc: CatalogProc): [other: string | null, what: string, mend: string] | null => {
    const { _id, pronamespace, proname, proargmodes, prorettype } = proc
    const all = alike.get(`${pronamespace} ${proname}`) ?? []
    const others = all.filter((one) => one._id !== _id).map(nameOf)
    const [first = proc] = all
    if (others.length > 0)
      return [
        `function ${others.join(', ')}`,
        `${others.join(', ')} ${others.length === 1 ? 'has' : 'have'} the same name`,
        // All that is said may be followed, and one of them is left.
        first === proc
          ? `rename the others with alter function … rename to …, or take them away: revoke execute on function ${others.join(', ')} from public, ${role}`
          : `see function ${nameOf(first)}`,
      ]
    if (proargmodes?.includes('v'))
      return [null, 'it takes any number of arguments', 'let it take an array instead of variadic']
    const types = [prorettype, ...(proc.proallargtypes ?? proc.proargtypes ?? [])]
    const isTold = (proargmodes?.filter((mode) => 'obt'.includes(mode)).length ?? 0) > 1
    const unknown = types
      .map(findUnknown)
      .find((name) => name !== null && !(name === 'record' && isTold))
    if (unknown == null) return null
    return [
      null,
      `GraphQL has no type for ${unknown}`,
      'let it take and return others, such as text; several columns with returns table (…)',
    ]
  }
  const problems: SchemaProblem[] = others.map((object) => ({
    kind: 'left-out',
    object,
    other: null,
    what: 'is left out: GraphQL shows functions, and no procedures, aggregates and window functions',
    mend: `call it in a function; or take it from the role: revoke execute on ${object.replace('aggregate', 'function')} from public, ${role}`,
  }))
  const procs = catalog.procs.filter((proc) => {
    const found = why(proc)
    if (found === null) return true
    const [other, reason, mend] = found
    const object = `function ${nameOf(proc)}`
    problems.push({ kind: 'left-out', object, other, what: `is left out: ${reason}`, mend })
    return false
  })
  return { catalog: { ...catalog, procs }, problems }
}
