import type { Catalog, Relation, Routine } from '../catalog/catalog.ts'
import { childrenOf, type TreeNode } from '../catalog/parse-node-tree.ts'
import type { Reach } from './exposure.ts'
import { mayOnRelation } from './privileges.ts'
import type { Standing, Standings } from './standing.ts'
import { calledBy } from './statement/called-by.ts'
import { rangesOf } from './statement/query-node.ts'
import { policiesFor, reasonToPass } from './statement/row-security.ts'

/** What bodies name, by how they write it: `app.notes`, without quotes where there need be none. */
export interface NamesOfBodies {
  relations: ReadonlyMap<string, Relation>
  /** Of one name there may be several, with other arguments. */
  functions: ReadonlyMap<string, Routine[]>
  /** Of relations, without their schema. */
  bare: ReadonlySet<string>
}

export function namesOfBodies({ relations, functions }: Catalog): NamesOfBodies {
  const isOther = ({ schema }: Relation | Routine) => !schema.isOfPostgres
  const nameOf = ({ schema, name }: Relation | Routine) => `${schema.name}.${name}`
  const others = [...functions.values()].filter(isOther)
  return {
    relations: new Map(
      [...relations.values()].filter(isOther).map((relation) => [nameOf(relation), relation]),
    ),
    functions: Map.groupBy(others, nameOf),
    bare: new Set([...relations.values()].filter(isOther).map(({ name }) => name)),
  }
}

/** What a `security definer` function can reach for whoever may call it; null for others, which have the caller's rights. */
export function findReach(
  catalog: Catalog,
  standings: Standings,
  names: NamesOfBodies,
  routine: Routine,
): Reach | null {
  if (!routine.isSecurityDefiner) return null
  const owner = standings.of(routine.owner)
  const named =
    routine.sqlBody !== null
      ? namedInTree(catalog, routine.sqlBody.tree)
      : namedInText(names, routine)
  const relations = named.relations.filter((relation) => reaches(owner, relation))
  return {
    as: owner.name,
    past_row_security: owner.isSuperuser
      ? 'superuser'
      : owner.bypassesRowSecurity
        ? 'bypasses row-level security'
        : null,
    known_by: routine.sqlBody !== null ? 'parsed' : named.isReadable ? 'named' : 'unknown',
    relations: [...new Set(relations)]
      .map((relation) => ({
        relation: `${relation.schema.name}.${relation.name}`,
        rows: rowsFor(standings, owner, relation),
      }))
      .sort((a, b) => (a.relation < b.relation ? -1 : 1)),
    functions: [...new Set(named.functions.map(({ sql }) => sql))].sort(),
    without_schema: [...new Set(named.unplaced)].sort(),
    executes_text: named.executes,
  }
}

interface Named {
  relations: Relation[]
  functions: Routine[]
  /** Of relations whose schema the caller's path says. */
  unplaced: string[]
  executes: boolean
  isReadable: boolean
}

function namedInTree(catalog: Catalog, tree: TreeNode): Named {
  const relations: Relation[] = []
  const functions: Routine[] = []
  const walk = (node: TreeNode): void => {
    if (node.type === 'QUERY')
      for (const { relation: oid } of rangesOf(node)) {
        const relation = catalog.relations.get(oid)
        if (relation !== undefined && !relation.schema.isOfPostgres) relations.push(relation)
      }
    const called = calledBy(catalog, node)
    if (called !== null && !called.schema.isOfPostgres) functions.push(called)
    for (const child of childrenOf(node)) walk(child)
  }
  walk(tree)
  return { relations, functions, unplaced: [], executes: false, isReadable: true }
}

const word = '("(?:[^"]|"")+"|[a-zA-Z_\\u0080-\\uffff][\\w$\\u0080-\\uffff]*)'
const qualified = new RegExp(`${word}\\s*\\.\\s*${word}(\\s*\\()?`, 'g')
/** Where a statement names a relation, or a list of them goes on. */
const placed = new RegExp(
  `\\b(?:from|join|into|update|only|table|using)\\s+${word}(?![\\w$]|\\s*\\.)`,
  'gi',
)

function namedInText(names: NamesOfBodies, { source, language, settings }: Routine): Named {
  const isReadable = source !== null && ['sql', 'plpgsql'].includes(language)
  const text = (source ?? '').replaceAll(/--[^\n]*|\/\*[\s\S]*?\*\//g, ' ')
  const relations: Relation[] = []
  const functions: Routine[] = []
  for (const [, schema = '', name = '', isCall] of text.matchAll(qualified)) {
    const full = `${plain(schema)}.${plain(name)}`
    const [relation, called] = [names.relations.get(full), names.functions.get(full)]
    if (relation !== undefined && isCall === undefined) relations.push(relation)
    if (called !== undefined && isCall !== undefined) functions.push(...called)
    // `insert into app.notes (…)`
    if (relation !== undefined && isCall !== undefined && called === undefined)
      relations.push(relation)
  }
  const unplaced: string[] = []
  const path = pathOf(settings)
  for (const [, name = ''] of text.matchAll(placed)) {
    const [relation] = (path ?? []).flatMap(
      (schema) => names.relations.get(`${schema}.${plain(name)}`) ?? [],
    )
    if (relation !== undefined) relations.push(relation)
    else if (path === null && names.bare.has(plain(name))) unplaced.push(plain(name))
  }
  return { relations, functions, unplaced, executes: /\bexecute\b/i.test(text), isReadable }
}

/** The path that a function sets itself; on another's nothing can be told of what stands without a schema. */
function pathOf(settings: readonly string[]): string[] | null {
  const path = settings.find((setting) => setting.startsWith('search_path='))
  if (path === undefined) return null
  return path
    .slice('search_path='.length)
    .split(',')
    .map((name) => plain(name.trim()))
}

const plain = (name: string): string =>
  name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase()

const reaches = (owner: Standing, relation: Relation): boolean =>
  (['select', 'insert', 'update', 'delete'] as const).some(
    (privilege) =>
      mayOnRelation(owner, relation, privilege) ||
      relation.columns.some(({ acl }) =>
        acl.some((item) => item.privilege === privilege && owner.has.has(item.grantee)),
      ),
  )

function rowsFor(
  standings: Standings,
  owner: Standing,
  relation: Relation,
): Reach['relations'][number]['rows'] {
  if (relation.kind === 'v') return 'view'
  if (relation.kind !== 'r' && relation.kind !== 'p') return 'all'
  if (reasonToPass(standings, relation, owner) !== null) return 'all'
  const commands = ['select', 'insert', 'update', 'delete'] as const
  return commands.some((command) =>
    policiesFor(relation, owner, command).some(({ isPermissive }) => isPermissive),
  )
    ? 'policies'
    : 'none'
}
