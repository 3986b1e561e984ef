import type { Catalog, Relation, RewriteRule } from '../../catalog/catalog.ts'
import type { TreeNode } from '../../catalog/parse-node-tree.ts'
import { columnsGranted, mayExecute, mayOnRelation } from '../privileges.ts'
import type { Particulars } from '../read-particulars.ts'
import type { Standing, Standings } from '../standing.ts'
import { commandOf } from './query-node.ts'
import {
  queriesIn,
  type Read,
  type Requirements,
  requirementsOf,
  type Wanted,
} from './requirements.ts'
import { combinePolicies, policiesFor, reasonToPass } from './row-security.ts'
import { denied, firstOf, rewriting, type Trouble, unsure } from './trouble.ts'
import { findUpdatable, queryOf } from './updatable-view.ts'

/** @property walked what the rewriter goes through, whatever the planner leaves out later */
interface Needs {
  needed: Requirements
  perhaps: Requirements
  walked: Requirements
}

/** What is known of a database, and kept for every role that is asked about. */
export interface Known {
  catalog: Catalog
  particulars: Particulars
  standings: Standings
  /** By what they are of. */
  requirements: Map<object, Map<string, Needs>>
}

/** Expressions and queries. `perhaps`: that some planners leave out; `walked`: all that is rewritten, where that is more. */
interface Asked {
  parts: readonly TreeNode[]
  perhaps?: readonly TreeNode[]
  walked?: readonly TreeNode[]
}

/** A write to a relation, as far as it matters for what it needs. */
export interface Write {
  command: 'insert' | 'update' | 'delete'
  /** attnums. */
  columns: readonly number[]
  /** Whether it reads the row that it changes. */
  reads: boolean
}

/** What is being rewritten, from the statement inwards: relations that are read, by oid, and `insert 4711` where rules are at it. */
type Within = readonly string[]

/**
 * Says why Postgres would refuse a statement of one role, as the rewriter, the planner and the executor come to it: rules
 * and views, row-level security, and the rights of whoever each part of it is checked as.
 */
export class Judge {
  readonly #known: Known
  readonly #caller: Standing
  readonly #verdicts = new Map<string, Trouble | null>()
  /** By what is asked: verdicts that hold wherever nothing is being rewritten that they came to. */
  readonly #apart = new Map<string, { verdict: Trouble | null; cameTo: ReadonlySet<string> }>()
  /** What has been asked for in `within` since the verdict that is being found was begun. */
  #cameTo = new Set<string>()
  #rounds = 0

  constructor(known: Known, caller: Standing) {
    this.#known = known
    this.#caller = caller
  }

  /** What reading some columns of a relation needs, besides the right to. */
  reading(
    relation: Relation,
    columns: Wanted,
    as: Standing = this.#caller,
    within: Within = [],
  ): Trouble | null {
    const of = relation.kind === 'v' ? (columns === 'all' ? 'all' : [...columns].sort().join()) : ''
    return this.#remember(`r ${relation.oid} ${as.oid} ${of}`, within, () => {
      if (relation.kind === 'v') return this.#view(relation, columns, within)
      return this.#rowSecurity(relation, as, 'select', false, within)
    })
  }

  /** What writing to a relation needs, besides the right to. */
  writing(
    relation: Relation,
    write: Write,
    as: Standing = this.#caller,
    within: Within = [],
    isChecked = false,
  ): Trouble | null {
    const key = `w ${relation.oid} ${as.oid} ${write.command} ${write.reads} ${relation.kind === 'r' && write.command !== 'insert' ? '' : write.columns.join()} ${isChecked}`
    return this.#remember(key, within, () => {
      if (relation.kind === 'm')
        return rewriting(`cannot change materialized view "${relation.name}"`)
      const rules = this.#rulesOf(relation, write.command)
      if (this.#isNothing(rules)) return rewriting('a rule makes nothing of it')
      const event = `${write.command} ${relation.oid}`
      if (rules.length > 0 && this.#isWithin(within, event))
        return rewriting(`infinite recursion detected in rules for relation "${relation.name}"`)
      const inner = rules.length > 0 ? [...within, event] : within
      const done = rules.map((rule) => this.#rule(relation, rule, write, as, inner))
      if (rules.some((rule) => this.#isUnconditional(rule))) return firstOf(...done)
      return firstOf(...done, this.#itself(relation, write, as, rules, inner, isChecked))
    })
  }

  /** Rules that make something else of a statement. */
  #rulesOf(relation: Relation, command: Write['command']): RewriteRule[] {
    return relation.rules.filter(
      ({ oid, event }) =>
        event === command && this.#known.particulars.rules.get(oid)?.isEnabled !== false,
    )
  }

  #isNothing(rules: readonly RewriteRule[]): boolean {
    return (
      rules.some((rule) => this.#isUnconditional(rule)) &&
      rules.every(({ action }) =>
        queriesIn(action.tree).every((query) => commandOf(query) === 'nothing'),
      )
    )
  }

  #isUnconditional({ oid, isInstead }: RewriteRule): boolean {
    return isInstead && !this.#known.particulars.rules.get(oid)?.condition
  }

  /**
   * Tables that ask one another have more ways through them than anybody can walk: what came to none of the relations that
   * are being rewritten is the same by each of them.
   */
  #remember(of: string, within: Within, find: () => Trouble | null): Trouble | null {
    const apart = this.#apart.get(of)
    if (apart !== undefined && !within.some((one) => apart.cameTo.has(one))) {
      for (const one of apart.cameTo) this.#cameTo.add(one)
      return apart.verdict
    }
    const key = `${of} ${within.join()}`
    const known = this.#verdicts.get(key)
    if (known !== undefined) {
      this.#rounds += 1
      return known
    }
    const [above, rounds] = [this.#cameTo, this.#rounds]
    this.#cameTo = new Set()
    const verdict = find()
    if (this.#rounds === rounds) this.#apart.set(of, { verdict, cameTo: this.#cameTo })
    else this.#verdicts.set(key, verdict)
    for (const one of this.#cameTo) above.add(one)
    this.#cameTo = above
    return verdict
  }

  #isWithin(within: Within, one: string): boolean {
    this.#cameTo.add(one)
    if (!within.includes(one)) return false
    this.#rounds += 1
    return true
  }

  /** Conditions, actions and what they read are checked as the owner of what the rule stands on. */
  #rule(
    relation: Relation,
    rule: RewriteRule,
    { command }: Write,
    as: Standing,
    within: Within,
  ): Trouble | null {
    const owner = this.#known.standings.of(relation.owner)
    const condition = this.#known.particulars.rules.get(rule.oid)?.condition?.tree
    const queries = queriesIn(rule.action.tree).filter(isStatement)
    return firstOf(
      this.#all(
        rule,
        { parts: [...(condition === undefined ? [] : [condition]), ...queries] },
        'all',
        owner,
        within,
      ),
      // The rows that it is about are looked for again.
      command === 'insert' || queries.length === 0
        ? null
        : this.reading(relation, 'all', as, within),
    )
  }

  /** The statement as it was written, where no rule takes its place. */
  #itself(
    relation: Relation,
    write: Write,
    as: Standing,
    rules: readonly RewriteRule[],
    within: Within,
    isChecked: boolean,
  ) {
    if (relation.kind === 'f') return null
    if (relation.kind !== 'v')
      return firstOf(
        this.#rowSecurity(relation, as, write.command, write.reads, within),
        write.command === 'insert' ? this.#defaults(relation, write.columns) : null,
      )
    if (doesInstead(relation, write.command))
      return write.command === 'insert' ? null : this.reading(relation, 'all', as, within)
    const verb = { insert: 'insert into', update: 'update', delete: 'delete from' }[write.command]
    const cannot = rewriting(`cannot ${verb} view "${relation.name}"`)
    return rules.some(({ isInstead }) => isInstead)
      ? cannot
      : (this.#throughView(relation, write, within, isChecked) ?? null)
  }

  /** A write to a view that is one to its table. */
  #throughView(view: Relation, write: Write, within: Within, isChecked: boolean): Trouble | null {
    const found = findUpdatable(view)
    const base = found === null ? undefined : this.#known.catalog.relations.get(found.base.relation)
    const verb = { insert: 'insert into', update: 'update', delete: 'delete from' }[write.command]
    if (found === null || base === undefined || base.kind === 'm' || base.kind === 'S')
      return rewriting(`cannot ${verb} view "${view.name}"`)
    const columns: number[] = []
    for (const number of [...write.columns, ...this.#filledBy(view, write)]) {
      const column = base.columns.find((one) => one.number === found.columns.get(number))
      const name = view.columns.find((one) => one.number === number)?.name
      if (column === undefined)
        return rewriting(`cannot ${verb} column "${name}" of view "${view.name}"`)
      if (column.isGenerated || (column.identity === 'a' && write.command === 'update'))
        return rewriting(`column "${column.name}" can only be updated to DEFAULT`)
      columns.push(column.number)
    }
    const as = view.options.securityInvoker ? this.#caller : this.#known.standings.of(view.owner)
    const option = this.#known.particulars.checked.get(view.oid)
    const isAsked = write.command !== 'insert' || isChecked || option !== undefined
    const needs = [write.command, ...(write.reads ? ['select' as const] : [])]
    return firstOf(
      this.#rights(
        {
          relation: base.oid,
          columns: 'all',
          command: write.command,
          permissions: {
            needs,
            selected: found.base.permissions.selected,
            inserted: write.command === 'insert' ? columns.slice(0, write.columns.length) : [],
            updated: write.command === 'update' ? columns : [],
          },
        },
        as,
      ),
      write.command === 'insert' ? this.#defaults(view, write.columns) : null,
      isAsked ? this.#all(view, { parts: found.conditions }, 'conditions', as, within) : null,
      this.writing(base, { ...write, columns }, as, within, isChecked || option === 'cascaded'),
    )
  }

  /** Columns of a view that have a value of their own where none is written. */
  #filledBy({ oid, columns }: Relation, { command, columns: written }: Write): number[] {
    const defaults = command === 'insert' ? this.#known.particulars.defaults.get(oid) : undefined
    return defaults === undefined
      ? []
      : columns
          .map(({ number }) => number)
          .filter((number) => defaults.has(number) && !written.includes(number))
  }

  /** What columns are filled with that are not written. */
  #defaults(relation: Relation, written: readonly number[]): Trouble | null {
    const defaults = this.#known.particulars.defaults.get(relation.oid)
    if (defaults === undefined) return null
    return firstOf(
      ...relation.columns.map(({ number, isGenerated }) => {
        const expression = defaults.get(number)
        if (expression === undefined || written.includes(number)) return null
        const { needed } = this.#requirements(expression, { parts: [expression.tree] }, 'all')
        const trouble = this.#calls(needed.calls, 'function')
        // What is computed from the row is computed when there is one.
        return isGenerated ? unsure(trouble) : trouble
      }),
    )
  }

  #view(view: Relation, columns: Wanted, within: Within): Trouble | null {
    if (this.#isWithin(within, `${view.oid}`))
      return rewriting(`infinite recursion detected in rules for relation "${view.name}"`)
    const query = queryOf(view)
    // Of Postgres' own views the queries are not read; they are all its own.
    if (query === undefined) return null
    const inner = view.options.securityInvoker ? this.#caller : this.#known.standings.of(view.owner)
    return this.#all(view, { parts: [query] }, columns, inner, [...within, `${view.oid}`])
  }

  #rowSecurity(
    relation: Relation,
    as: Standing,
    command: Read['command'],
    reads: boolean,
    within: Within,
  ): Trouble | null {
    if (relation.kind !== 'r' && relation.kind !== 'p') return null
    const { standings } = this.#known
    if (reasonToPass(standings, relation, as) !== null) return null
    const troubles: (Trouble | null)[] = []
    const ask = (of: Read['command'], isCheck: boolean) => {
      // Nothing comes before a round.
      if (troubles.some((trouble) => trouble?.stage === 'rewriting')) return
      const policies = policiesFor(relation, as, of)
      const { parts, perhaps, walked } = combinePolicies(this.#known.catalog, policies, isCheck)
      const key = `${of} ${isCheck} ${policies.map(({ oid }) => oid).join()}`
      if (walked.length > 0 && this.#isWithin(within, `${relation.oid}`))
        troubles.push(
          rewriting(`infinite recursion detected in policy for relation "${relation.name}"`),
        )
      else
        troubles.push(
          this.#all(relation, { parts, perhaps, walked }, key, as, [...within, `${relation.oid}`]),
        )
    }
    if (command !== 'insert') ask(command, false)
    if (command === 'insert' || command === 'update') ask(command, true)
    if (reads && command !== 'select') ask('select', false)
    return firstOf(...troubles)
  }

  /** What expressions and queries need: what they read as somebody, and what they call as whoever runs the statement. */
  #all(of: object, asked: Asked, wanted: Wanted | string, as: Standing, within: Within) {
    if (asked.parts.length === 0 && !asked.perhaps?.length && !asked.walked?.length) return null
    const { needed, walked, perhaps } = this.#requirements(of, asked, wanted)
    for (const read of walked.reads) {
      const trouble = this.#read(read, as, within)
      if (trouble?.stage === 'rewriting') return trouble
    }
    return firstOf(
      ...this.#reads(needed, as, within),
      this.#calls(needed.calls, 'function'),
      this.#calls(needed.perhaps, 'unsure'),
      ...this.#reads(perhaps, as, within).map(unsure),
      this.#calls(perhaps.calls, 'unsure'),
    )
  }

  #reads({ reads }: Requirements, as: Standing, within: Within): (Trouble | null)[] {
    return reads.flatMap((read) => [this.#rights(read, as), this.#read(read, as, within)])
  }

  #requirements(of: object, asked: Asked, wanted: Wanted | string): Needs {
    const columns = typeof wanted === 'string' ? 'all' : wanted
    const key = typeof wanted === 'string' ? wanted : [...wanted].sort().join()
    const ofThis = this.#known.requirements.get(of) ?? new Map<string, Needs>()
    this.#known.requirements.set(of, ofThis)
    const known = ofThis.get(key)
    if (known !== undefined) return known
    const { catalog } = this.#known
    const { parts, perhaps = [], walked = parts } = asked
    const found = {
      needed: requirementsOf(catalog, parts, columns),
      perhaps: requirementsOf(catalog, perhaps),
      walked: requirementsOf(catalog, walked, 'all', true),
    }
    ofThis.set(key, found)
    return found
  }

  #read(
    { relation: oid, columns, command, permissions }: Read,
    as: Standing,
    within: Within,
  ): Trouble | null {
    const relation = this.#known.catalog.relations.get(oid)
    if (relation === undefined) return null
    if (command === 'select') return this.reading(relation, columns, as, within)
    const written = command === 'insert' ? permissions.inserted : permissions.updated
    const reads = permissions.needs.includes('select')
    return this.writing(relation, { command, columns: written, reads }, as, within)
  }

  /** As ExecCheckOneRelPerms() decides. */
  #rights({ relation: oid, permissions }: Read, as: Standing): Trouble | null {
    const relation = this.#known.catalog.relations.get(oid)
    if (relation === undefined) return null
    const { needs, selected, inserted, updated } = permissions
    const may = needs.every((privilege) => {
      if (mayOnRelation(as, relation, privilege)) return true
      if (privilege === 'delete') return false
      const columns = { select: selected, insert: inserted, update: updated }[privilege]
      return mayColumns(as, relation, privilege, columns)
    })
    const writes = needs.some((privilege) => privilege !== 'select')
    const isCatalog = relation.schema.isOfPostgres && relation.kind !== 'v'
    // To the catalog nobody but a superuser writes, whatever is granted; what is granted on its columns is not known here.
    if (isCatalog && writes && !as.isSuperuser) return denied(relation, as, this.#caller)
    if (may) return null
    const trouble = denied(relation, as, this.#caller)
    return isCatalog ? unsure(trouble) : trouble
  }

  #calls(oids: ReadonlySet<number>, stage: 'function' | 'unsure'): Trouble | null {
    for (const oid of oids) {
      const called = this.#known.catalog.functions.get(oid)
      if (called !== undefined && !mayExecute(this.#caller, called))
        return {
          stage,
          reason: `permission denied for ${called.kind === 'aggregate' || called.kind === 'procedure' ? called.kind : 'function'} ${called.name}`,
        }
    }
    return null
  }
}

function mayColumns(
  as: Standing,
  relation: Relation,
  privilege: 'select' | 'insert' | 'update',
  columns: readonly number[],
): boolean {
  const granted = columnsGranted(as, relation, privilege)
  if (granted === 'all') return true
  // Nothing but that there are rows: a right to any column will do.
  if (columns.length === 0) return granted.length > 0
  if (columns.includes(0)) return relation.columns.every(({ number }) => granted.includes(number))
  // Columns that each row has without being asked are of the whole.
  return columns.every((column) => granted.includes(column))
}

/** What is not `notify`, nor nothing. */
const isStatement = (query: TreeNode): boolean =>
  !['utility', 'nothing', null].includes(commandOf(query))

const triggerBits = { insert: 4, delete: 8, update: 16 } as const
const INSTEAD = 64

/** Whether an `instead of` trigger of a view does what is written to it. */
export const doesInstead = ({ triggers }: Relation, command: Write['command']): boolean =>
  triggers.some(({ type }) => (type & INSTEAD) !== 0 && (type & triggerBits[command]) !== 0)
