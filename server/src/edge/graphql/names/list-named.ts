import type {} from 'graphile-build'
import type {} from 'graphile-build-pg'
import { type Catalog, type CatalogClass, type CatalogProc, isTable } from '../catalog/catalog.ts'
import { quoteName } from '../catalog/quote-name.ts'
import type { Touchable } from '../catalog/read-touchable.ts'
import type { Tags } from '../catalog/tags.ts'
import { codecNamed } from './codec-named.ts'
import { legalName } from './legal-name.ts'
import type { Claim } from './taken-names.ts'

/** Something of the database's that GraphQL calls by a name. */
export interface Named {
  /** As a comment names it: `table app.users`. */
  object: string
  place: Parameters<Tags['nameOf']>[0]
  name: string
  /** With its schema before it. */
  prefixed: string
  /** What else could have no such name if this has the name `name`. */
  claims(name: string): Claim[]
  shownAs(name: string): string
}

type Ranked = Named & { rank: readonly (string | number)[] }

/** All of them, in the order in which they get their names. */
export function listNamed(
  catalog: Catalog,
  inflection: GraphileBuild.Inflection,
  touchable: Touchable,
  schemas: readonly string[],
  tags: Tags,
): Named[] {
  const schemaOf = new Map(catalog.namespaces.map(({ _id, nspname }) => [_id, nspname]))
  const { claimsOfTable, claimsOfScalar, claimsOfFunction } = claimers(
    catalog,
    inflection,
    touchable,
  )
  const make = (
    { of, id, kind, schema, name }: Made,
    claims: Named['claims'],
    shownAs: Named['shownAs'],
    object = `${kind} ${quoteName(schema)}.${quoteName(name)}`,
  ): Ranked => {
    const place = { of, objoid: id, objsubid: 0 } as const
    const given = tags.nameOf(place)
    const order = schemas.indexOf(schema)
    const isPies = schema.startsWith('pie_')
    // Many an application has profiles of its own, and had them before Pie did.
    const yields = schema === 'pie_schema' && name === 'profiles'
    return {
      object,
      place,
      name: given ?? name,
      prefixed: legalName(`${isPies ? 'pie' : schema}_${given ?? name}`),
      claims,
      shownAs,
      rank: [
        yields ? 3 : isPies ? 0 : given !== undefined ? 1 : 2,
        order === -1 ? schemas.length : order,
        kinds.indexOf(kind),
        // What stands in Postgres without quotes comes before what needs them.
        /^[a-z_][a-z0-9_]*$/.test(name) ? 0 : 1,
        // A note before what it is made into: its input, its payload.
        name.length,
        name,
        id,
      ],
    }
  }
  const tables = catalog.classes
    .filter((one) => isTable(one) || one.relkind === 'c')
    .map((one) =>
      make(
        {
          of: 'pg_class',
          id: one._id,
          kind: kindOfClass[one.relkind] ?? 'table',
          schema: schemaOf.get(one.relnamespace) ?? '',
          name: one.relname,
        },
        (name) => claimsOfTable(one, name),
        (name) => inflection.tableType(codecNamed(name, inflection)),
      ),
    )
  const scalars = catalog.types
    .filter(
      ({ typtype, typnamespace }) =>
        ['e', 'd', 'r'].includes(typtype) && isOwn(schemaOf, typnamespace),
    )
    .map((one) =>
      make(
        {
          of: 'pg_type',
          id: one._id,
          kind: one.typtype === 'd' ? 'domain' : 'type',
          schema: schemaOf.get(one.typnamespace) ?? '',
          name: one.typname,
        },
        claimsOfScalar,
        (name) => inflection.scalarCodecTypeName(codecNamed(name, inflection)),
      ),
    )
  const functions = catalog.procs.map((one) =>
    make(
      {
        of: 'pg_proc',
        id: one._id,
        kind: 'function',
        schema: schemaOf.get(one.pronamespace) ?? '',
        name: one.proname,
      },
      (name) => claimsOfFunction(one, name),
      (name) => inflection.camelCase(name),
      `function ${touchable.functions[one._id] ?? one.proname}`,
    ),
  )
  return [...tables, ...scalars, ...functions].toSorted((one, other) =>
    compare(one.rank, other.rank),
  )
}

interface Made {
  of: 'pg_class' | 'pg_type' | 'pg_proc'
  id: string
  kind: (typeof kinds)[number]
  schema: string
  name: string
}

const kinds = [
  'table',
  'view',
  'materialized view',
  'foreign table',
  'type',
  'domain',
  'function',
] as const

const kindOfClass: Record<string, (typeof kinds)[number]> = {
  r: 'table',
  p: 'table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
  c: 'type',
}

const isOwn = (schemaOf: ReadonlyMap<string, string>, namespace: string): boolean =>
  !['pg_catalog', 'information_schema'].includes(schemaOf.get(namespace) ?? '')

function compare(one: Ranked['rank'], other: Ranked['rank']): number {
  for (const [index, value] of one.entries()) {
    const against = other[index]
    if (value === against || against === undefined) continue
    return value < against ? -1 : 1
  }
  return 0
}

/** Which names go with a name: those of the types and fields that PostGraphile makes of it. */
function claimers(catalog: Catalog, inflection: GraphileBuild.Inflection, { tables }: Touchable) {
  const keyed = new Set(
    catalog.constraints
      .filter(({ contype }) => contype === 'p' || contype === 'u')
      .map(({ conrelid }) => conrelid),
  )
  const rowTypes = new Map(catalog.classes.filter(isTable).map((one) => [one.reltype, one]))
  const claimsOfTable = ({ _id, relkind }: CatalogClass, name: string): Claim[] => {
    const codec = codecNamed(name, inflection)
    const resource = { name, codec, extensions: { tags: { name } } } as never
    const type = inflection.tableType(codec)
    const own: Claim[] = [
      `resource:${name}`,
      `codec:${inflection.camelCase(name)}`,
      `type:${type}`,
      `type:${inflection.inputType(type)}`,
      `type:${inflection.patchType(type)}`,
    ]
    const may = tables[_id] ?? ''
    if (relkind === 'c' || may === '') return own
    const create = inflection.createField(resource)
    const changes = [
      ...(may.includes('a') ? [create] : []),
      ...(keyed.has(_id) && may.includes('w') ? [inflection.camelCase(`update-${type}`)] : []),
      ...(keyed.has(_id) && may.includes('d') ? [inflection.camelCase(`delete-${type}`)] : []),
    ]
    return [
      ...own,
      `type:${inflection.conditionType(type)}`,
      `type:${inflection.orderByType(inflection.pluralize(type))}`,
      `type:${inflection.tableConnectionType(codec)}`,
      `type:${inflection.tableEdgeType(codec)}`,
      ...(may.includes('r')
        ? ([
            `query:${inflection.allRowsConnection(resource)}`,
            `query:${inflection.tableFieldName(resource)}`,
          ] as const)
        : []),
      ...changes.flatMap((change): Claim[] => [
        `mutation:${change}`,
        `type:${inflection.upperCamelCase(`${change}-input`)}`,
        `type:${inflection.upperCamelCase(`${change}-payload`)}`,
      ]),
    ]
  }
  const claimsOfScalar = (name: string): Claim[] => [
    `codec:${inflection.camelCase(name)}`,
    `type:${inflection.scalarCodecTypeName(codecNamed(name, inflection))}`,
  ]
  const claimsOfFunction = (proc: CatalogProc, name: string): Claim[] => {
    const field = inflection.camelCase(name)
    const type = inflection.upperCamelCase(name)
    const first = proc.proargtypes?.[0]
    const isComputed = proc.provolatile !== 'v' && first !== undefined && rowTypes.has(first)
    const returnsRecord = proc.proargmodes?.some((mode) => ['o', 'b', 't'].includes(mode)) ?? false
    const isOfRows = rowTypes.has(proc.prorettype)
    return [
      `resource:${name}`,
      ...(returnsRecord ? ([`type:${type}Record`, `codec:${type}Record`] as const) : []),
      ...(proc.proretset && !isOfRows
        ? ([`type:${type}Connection`, `type:${type}Edge`] as const)
        : []),
      ...(isComputed || proc.provolatile === 'v' ? [] : ([`query:${field}`] as const)),
      ...(proc.provolatile === 'v'
        ? ([`mutation:${field}`, `type:${type}Input`, `type:${type}Payload`] as const)
        : []),
    ]
  }
  return { claimsOfTable, claimsOfScalar, claimsOfFunction }
}
