import type { Relation } from '../catalog/catalog.ts'
import { childrenOf, numberOf, type TreeNode } from '../catalog/parse-node-tree.ts'
import type { Action, AppliedPolicy, Rows } from './exposure.ts'
import type { Standing } from './standing.ts'
import { doesInstead, type Known } from './statement/judge.ts'
import { commandOf, rangesOf } from './statement/query-node.ts'
import { queriesIn } from './statement/requirements.ts'
import { policiesFor, reasonToPass } from './statement/row-security.ts'
import { findUpdatable, queryOf } from './statement/updatable-view.ts'

type Command = Exclude<Action, 'truncate'>

/** Which rows of relations somebody's actions reach. Equal answers are one object: policies are long, and apply to many roles. */
export class RowsOf {
  readonly #known: Known
  readonly #caller: Standing
  readonly #kept: Map<string, Rows>

  /** @param kept for every caller */
  constructor(known: Known, caller: Standing, kept: Map<string, Rows>) {
    this.#known = known
    this.#caller = caller
    this.#kept = kept
  }

  of(relation: Relation, action: Action, as = this.#caller, within: readonly number[] = []): Rows {
    if (action === 'truncate' && relation.kind !== 'f')
      return { kind: 'all', reason: 'row-level security does not apply to truncate' }
    const rules = this.#rulesOf(relation, action)
    if (rules.length > 0 && !within.includes(relation.oid))
      return this.#ofRules(relation, action as Command, as, [...within, relation.oid])
    return this.#itself(relation, action, as, within)
  }

  #itself(relation: Relation, action: Action, as: Standing, within: readonly number[]): Rows {
    if (relation.kind === 'v') return this.#ofView(relation, action as Command, within)
    if (relation.kind === 'm')
      return { kind: 'all', reason: 'row-level security does not apply to a materialized view' }
    if (relation.kind === 'f')
      return { kind: 'all', reason: 'row-level security does not apply to a foreign table' }
    if (relation.kind === 'S') return { kind: 'all', reason: 'a sequence has one row' }
    const past = reasonToPass(this.#known.standings, relation, as)
    if (past !== null) return { kind: 'all', reason: past }
    const command = action as Command
    const policies = policiesFor(relation, as, command)
    if (!policies.some(({ isPermissive }) => isPermissive)) return { kind: 'none' }
    const key = `${command} ${policies.map(({ oid }) => oid).join()}`
    const found = this.#kept.get(key) ?? {
      kind: 'policies',
      policies: policies.map((policy) => partsFor(policy, command)),
    }
    this.#kept.set(key, found)
    return found
  }

  #rulesOf(relation: Relation, action: Action) {
    return relation.rules.filter(
      ({ oid, event }) =>
        event !== 'select' &&
        event === action &&
        this.#known.particulars.rules.get(oid)?.isEnabled !== false,
    )
  }

  #ofRules(relation: Relation, action: Command, as: Standing, within: readonly number[]): Rows {
    const { catalog, standings, particulars } = this.#known
    const owner = standings.of(relation.owner)
    const rules = this.#rulesOf(relation, action)
    const does = rules.flatMap((rule) =>
      queriesIn(rule.action.tree).flatMap((query) => {
        const command = commandOf(query)
        const ranges = rangesOf(query)
        const target = ranges[numberOf(query, 'resultRelation') - 1]
        const touched =
          target !== undefined
            ? [target]
            : ranges.filter(({ permissions }) => permissions.needs.length > 0)
        return touched.flatMap(({ relation: oid }) => {
          const to = catalog.relations.get(oid)
          if (to === undefined || !isAction(command)) return []
          const rows = this.of(to, command, owner, within)
          return [
            {
              rule: rule.name,
              action: command,
              relation: fullName(to),
              as: `its owner ${owner.name}`,
              rows,
            },
          ]
        })
      }),
    )
    const isReplaced = rules.some(
      ({ oid, isInstead }) => isInstead && !particulars.rules.get(oid)?.condition,
    )
    return {
      kind: 'rules',
      itself: isReplaced ? null : this.#itself(relation, action, as, within),
      does,
    }
  }

  #ofView(view: Relation, action: Command, within: readonly number[]): Rows {
    if (action !== 'select' && doesInstead(view, action))
      return { kind: 'all', reason: 'a trigger of the view does it instead, and decides' }
    if (action !== 'select') {
      const base = this.#known.catalog.relations.get(findUpdatable(view)?.base.relation ?? 0)
      if (base !== undefined) {
        const as = this.#asOf(view)
        return {
          kind: 'view',
          reads: [{ ...this.#named(base, as), rows: this.of(base, action, as, within) }],
        }
      }
    }
    const reads = this.#sources(view, new Set())
      .map(({ source, as }) => ({
        ...this.#named(source, as),
        rows: this.of(source, action, as, within),
      }))
      .sort((a, b) => (`${a.relation} ${a.as}` < `${b.relation} ${b.as}` ? -1 : 1))
    return { kind: 'view', reads }
  }

  #named(relation: Relation, as: Standing) {
    return {
      relation: fullName(relation),
      as: as.oid === this.#caller.oid ? 'the caller' : `its owner ${as.name}`,
    }
  }

  /**
   * A view reads what it names with its owner's rights, a security_invoker view with those of whoever runs the query, also
   * where another view stands between.
   */
  #asOf = (view: Relation): Standing =>
    view.options.securityInvoker ? this.#caller : this.#known.standings.of(view.owner)

  #sources(view: Relation, seen: Set<string>): { source: Relation; as: Standing }[] {
    const as = this.#asOf(view)
    return sourcesOf(view).flatMap((oid) => {
      const source = this.#known.catalog.relations.get(oid)
      const key = `${oid} ${as.oid}`
      if (source === undefined || seen.has(key)) return []
      seen.add(key)
      const isOpaque = source.kind !== 'v' || source.schema.isOfPostgres
      return isOpaque ? [{ source, as }] : this.#sources(source, seen)
    })
  }
}

const isAction = (command: ReturnType<typeof commandOf>): command is Command =>
  command === 'select' || command === 'insert' || command === 'update' || command === 'delete'

const fullName = ({ schema, name }: Relation): string => `${schema.name}.${name}`

/** What a policy asks of an action: an insert looks at no row that is there, and a read writes none. */
function partsFor(
  { name, isPermissive, using, check }: Relation['policies'][number],
  action: Command,
): AppliedPolicy {
  const asked = check ?? using
  return {
    name,
    is_restrictive: !isPermissive,
    using: action === 'insert' ? null : (using?.text ?? null),
    with_check: action === 'insert' || action === 'update' ? (asked?.text ?? null) : null,
  }
}

const known = new WeakMap<Relation, number[]>()

/** Which relations a view reads by itself. */
function sourcesOf(view: Relation): number[] {
  const found = known.get(view) ?? [...relationsIn(queryOf(view), new Set())]
  known.set(view, found)
  return found
}

function relationsIn(node: TreeNode | undefined, found: Set<number>): Set<number> {
  if (node === undefined) return found
  if (node.type === 'QUERY')
    for (const { kind, relation, permissions } of rangesOf(node))
      if (kind === 'relation' && permissions.needs.length > 0) found.add(relation)
  for (const child of childrenOf(node)) relationsIn(child, found)
  return found
}
