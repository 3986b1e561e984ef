import type { Catalog } from '../../catalog/catalog.ts'
import {
  childrenOf,
  nodesIn,
  numberOf,
  type TreeNode,
  valuesOf,
  wordOf,
} from '../../catalog/parse-node-tree.ts'
import { calledBy } from './called-by.ts'
import { combine, fold, isComputable, isNull } from './fold.ts'
import {
  commandOf,
  has,
  isBareExists,
  isPlainUnionAll,
  isSimple,
  type Permissions,
  type Range,
  rangesOf,
  type Target,
  targetsOf,
} from './query-node.ts'

/** What an expression or a query needs before Postgres runs it, whoever asks. */
export interface Requirements {
  /** Functions that are called, by oid. */
  calls: Set<number>
  /** Those that are called unless the planner leaves them out, which is not told from here. */
  perhaps: Set<number>
  reads: Read[]
}

/** A relation in a query. */
export interface Read {
  relation: number
  permissions: Permissions
  /** What of it is used, for a view; `all` also for a whole row. */
  columns: ReadonlySet<number> | 'all'
  /** What the query does to it. */
  command: 'select' | 'insert' | 'update' | 'delete'
}

/** The columns of a sub-select that somebody uses. */
export type Wanted = ReadonlySet<number> | 'all'

interface Scope {
  ranges: Range[]
  used: (Set<number> | 'all')[]
  withs: { name: string; node: TreeNode; used: Set<number> | 'all'; isRead: boolean }[]
}

const whole = 0

/** Collects what expressions need, as the planner and the executor ask for it. */
class Collector {
  readonly found: Requirements = { calls: new Set(), perhaps: new Set(), reads: [] }
  readonly #catalog: Catalog
  readonly #scopes: Scope[] = []
  /** Over what the planner may or may not leave out. */
  #unsure = 0
  readonly #isWhole: boolean

  /** @param isWhole whether all is collected, also what the planner leaves out: the rewriter, before it, looks at that too */
  constructor(catalog: Catalog, isWhole: boolean) {
    this.#catalog = catalog
    this.#isWhole = isWhole
  }

  expression(node: TreeNode): void {
    if (node.type === 'BOOLEXPR' && !this.#isWhole) {
      const left = fold(this.#catalog, node)
      if (left.constant === null) for (const part of left.parts) this.#one(part)
      this.#perhaps(() => {
        for (const part of left.perhaps) this.#one(part)
      })
    } else this.#one(node)
  }

  #one(node: TreeNode): void {
    const called = calledBy(this.#catalog, node)
    // A strict function of null is null, and is not called.
    if (called?.isStrict && !this.#isWhole && nodesIn(node, 'args').some(isNull)) return
    if (called !== null) (this.#unsure > 0 ? this.found.perhaps : this.found.calls).add(called.oid)
    if (node.type === 'VAR') this.#use(node)
    else if (node.type === 'SUBLINK') this.#subLink(node)
    else if (node.type === 'QUERY') this.query(node, 'all')
    else if (mayBeLeftOut(this.#catalog, node)) this.#perhaps(() => this.#children(node))
    else this.#children(node)
  }

  #children(node: TreeNode): void {
    for (const child of childrenOf(node)) this.expression(child)
  }

  #perhaps(work: () => void): void {
    this.#unsure += 1
    work()
    this.#unsure -= 1
  }

  #use(node: TreeNode): void {
    const scope = this.#scopes.at(-1 - numberOf(node, 'varlevelsup'))
    if (scope !== undefined)
      this.#useColumn(scope, numberOf(node, 'varno') - 1, numberOf(node, 'varattno'))
  }

  #useColumn(scope: Scope, place: number, column: number): void {
    const used = scope.used[place]
    if (used === undefined || used === 'all' || used.has(column)) return
    if (column === whole) scope.used[place] = 'all'
    else used.add(column)
    const range = scope.ranges[place]
    if (range?.kind !== 'join') return
    // What a join calls its columns is of one of its sides, or is put together from both.
    const aliases = nodesIn(range.node, 'joinaliasvars')
    for (const alias of column === whole ? aliases : aliases.slice(column - 1, column))
      this.expression(alias)
  }

  #subLink(node: TreeNode): void {
    for (const test of nodesIn(node, 'testexpr')) this.expression(test)
    // 0 is EXISTS.
    const isExists = numberOf(node, 'subLinkType') === 0
    for (const query of nodesIn(node, 'subselect'))
      if (isExists && !this.#isWhole && isBareExists(query)) this.query(query, new Set(), true)
      else this.query(query, 'all')
  }

  /** @param isBare whether nothing that it returns, groups or sorts by is looked at */
  query(query: TreeNode, wanted: Wanted, isBare = false): void {
    const ranges = rangesOf(query)
    const scope: Scope = {
      ranges,
      used: ranges.map(() => new Set<number>()),
      withs: nodesIn(query, 'cteList').map((node) => ({
        name: wordOf(node, 'ctename'),
        node,
        used: new Set<number>(),
        isRead: false,
      })),
    }
    this.#scopes.push(scope)
    const isNever = nodesIn(query, 'jointree').some((tree) => hasNever(this.#catalog, tree))
    if (!isBare)
      for (const { expression } of this.#targets(query, wanted)) this.expression(expression)
    // Where no row can be, what looks for rows may be left out; what they would be made into is not.
    const work = () => {
      for (const field of otherParts)
        for (const node of nodesIn(query, field)) this.expression(node)
      this.#ranges(query, scope, wanted)
      this.#withs(scope)
    }
    if (isNever) this.#perhaps(work)
    else work()
    this.#scopes.pop()
  }

  /** Which of what it returns is put together at all. */
  #targets(query: TreeNode, wanted: Wanted): Target[] {
    const targets = targetsOf(query)
    if (wanted === 'all' || this.#isWhole || commandOf(query) !== 'select') return targets
    const isVolatile = (target: Target) => this.#isVolatile(target.expression)
    if (isSimple(query) && !targets.some(isVolatile))
      return targets.filter(({ number }) => wanted.has(number))
    if (isPlainUnionAll(query)) return targets.filter(({ number }) => wanted.has(number))
    if (has(query, 'setOperations', 'distinctClause', 'hasDistinctOn')) return targets
    return targets.filter(
      (target) =>
        wanted.has(target.number) ||
        target.isSorted ||
        isVolatile(target) ||
        returnsSet(target.expression),
    )
  }

  #isVolatile(node: TreeNode): boolean {
    return (
      calledBy(this.#catalog, node)?.volatility === 'v' ||
      childrenOf(node).some((child) => this.#isVolatile(child))
    )
  }

  /** From the last to the first, because what is lateral uses what stands before it. */
  #ranges(query: TreeNode, scope: Scope, wanted: Wanted): void {
    const target = numberOf(query, 'resultRelation') - 1
    const isUnited = has(query, 'setOperations')
    for (let place = scope.ranges.length - 1; place >= 0; place -= 1) {
      const range = scope.ranges[place] as Range
      const used = scope.used[place] ?? 'all'
      if (isOldOrNew(range, place === target)) continue
      if (range.kind === 'relation')
        this.#relation(range, used, place === target ? commandOf(query) : 'select')
      else if (range.kind === 'with') this.#useWith(range, used)
      else if (range.kind === 'subquery')
        for (const subquery of nodesIn(range.node, 'subquery')) {
          if (!isUnited) this.query(subquery, used)
          else this.query(subquery, isPlainUnionAll(query) ? wanted : 'all')
        }
      else if (range.kind !== 'join')
        for (const field of ['functions', 'tablefunc', 'values_lists', 'groupexprs'])
          for (const node of nodesIn(range.node, field)) this.expression(node)
    }
  }

  #relation(
    { relation, permissions }: Range,
    columns: Wanted,
    command: ReturnType<typeof commandOf>,
  ) {
    // Postgres 15 has two entries for the view itself in its query, which ask for nothing.
    if (permissions.needs.length === 0) return
    this.found.reads.push({
      relation,
      permissions,
      columns,
      command:
        command === 'insert' || command === 'update' || command === 'delete' ? command : 'select',
    })
  }

  #useWith(range: Range, used: Wanted): void {
    const scope = this.#scopes.at(-1 - numberOf(range.node, 'ctelevelsup'))
    const found = scope?.withs.find(({ name }) => name === wordOf(range.node, 'ctename'))
    if (found === undefined) return
    found.isRead = true
    if (used === 'all') found.used = 'all'
    else if (found.used !== 'all') for (const column of used) found.used.add(column)
  }

  /** A `with` that nothing reads is not run. One that is read once becomes a part of what reads it. */
  #withs({ withs }: Scope): void {
    for (const { node, used, isRead } of [...withs].reverse())
      for (const query of nodesIn(node, 'ctequery')) {
        if (!isRead && !this.#isWhole && commandOf(query) === 'select') continue
        const isInlined =
          numberOf(node, 'cterefcount') === 1 &&
          !has(node, 'cterecursive') &&
          wordOf(node, 'ctematerialized') !== '1' &&
          commandOf(query) === 'select' &&
          !this.#isVolatile(query)
        this.query(query, isInlined ? used : 'all')
      }
  }
}

/** In a rule: the row that it is about, which is of the statement that it was called for. */
const isOldOrNew = ({ kind, node }: Range, isTarget: boolean): boolean =>
  kind === 'relation' &&
  !isTarget &&
  !has(node, 'inFromCl') &&
  nodesIn(node, 'eref').some((alias) => ['old', 'new'].includes(wordOf(alias, 'aliasname')))

/** Of a query, besides what it returns and what it reads. */
const otherParts = [
  'jointree',
  'havingQual',
  'limitOffset',
  'limitCount',
  'windowClause',
  'onConflict',
  'returningList',
  'mergeActionList',
  'mergeJoinCondition',
]

/** Whether a condition is false, or may turn out to be while it is planned. */
const hasNever = (catalog: Catalog, tree: TreeNode): boolean => {
  const conditions = nodesIn(tree, 'quals').map((node) => fold(catalog, node))
  return (
    combine(conditions, false).constant === false ||
    nodesIn(tree, 'quals').some((node) => conditionsOf(node).some(isUnknown(catalog))) ||
    nodesIn(tree, 'fromlist').some((child) => child.type === 'FROMEXPR' && hasNever(catalog, child))
  )
}

const conditionsOf = (node: TreeNode): TreeNode[] =>
  node.type === 'BOOLEXPR' && wordOf(node, 'boolop') === 'and'
    ? nodesIn(node, 'args').flatMap(conditionsOf)
    : [node]

/** Computed by the planner, and not here. */
const isUnknown =
  (catalog: Catalog) =>
  (node: TreeNode): boolean => {
    const folded = fold(catalog, node)
    return folded.constant === null && folded.isComputable
  }

/** A condition that is known while planning makes an end to what stands behind it. */
function mayBeLeftOut(catalog: Catalog, node: TreeNode): boolean {
  if (node.type === 'CASEEXPR')
    return nodesIn(node, 'args').some((when) =>
      nodesIn(when, 'expr').some((condition) => isComputable(catalog, condition)),
    )
  if (node.type === 'COALESCEEXPR' || node.type === 'COALESCE')
    return nodesIn(node, 'args').some((argument) => isComputable(catalog, argument))
  return false
}

const returnsSet = (node: TreeNode): boolean =>
  wordOf(node, 'funcretset') === 'true' ||
  wordOf(node, 'opretset') === 'true' ||
  (node.type !== 'SUBLINK' && childrenOf(node).some(returnsSet))

/** What expressions and queries need. */
export function requirementsOf(
  catalog: Catalog,
  parts: readonly TreeNode[],
  wanted: Wanted = 'all',
  isWhole = false,
): Requirements {
  const collector = new Collector(catalog, isWhole)
  for (const part of parts)
    if (part.type === 'QUERY') collector.query(part, wanted)
    else collector.expression(part)
  return collector.found
}

/** The queries that a rule, or a parsed body, consists of. */
export const queriesIn = (tree: TreeNode): TreeNode[] =>
  tree.type === 'QUERY'
    ? [tree]
    : valuesOf(tree, 'queries').length > 0
      ? nodesIn(tree, 'queries')
      : nodesIn(tree, 'args')
