import type { Catalog, Expression, Relation, Routine } from '../../catalog/catalog.ts'
import { FIRST_OID_OF_OTHERS } from '../../catalog/read-parts.ts'
import { usesOf } from './calls-in-tree.ts'
import { mayAct } from './deeds.ts'
import { Influence } from './influence.ts'
import { isWritten, operatorsIn, tokensOf } from './tokens-of.ts'

const functionOf = (oid: number): string => `function ${oid}`
const relationOf = (oid: number): string => `relation ${oid}`
const typeOf = (oid: number): string => `type ${oid}`
/** In the text of a body a function, a column, a type and a table look alike: whatever is called so. */
const nameOf = (name: string): string => `name ${name}`
const operatorOf = (name: string): string => `operator ${name}`
/** What any body may run without a word of it. */
const ANYTHING = 'anything'

/** Stable to Postgres, though they take a transaction's number. */
const takingNumbers = new Set(['txid_current', 'pg_current_xact_id'])
/** Operators that stand behind words: `in`, `between`, `like`, `order by`, `distinct`, joins. */
const unspoken = new Set(['=', '<>', '<', '>', '<=', '>=', '~~', '!~~', '~~*', '!~~*', '~', '!~'])

const known = new WeakMap<Catalog, Set<string>>()

/**
 * Whether a function may do more than read, by itself or by anything that it may run: functions in functions, operators,
 * casts, checks of domains, views, policies. What cannot be told is taken for a deed.
 */
export function mayFunctionAct(catalog: Catalog, { oid }: Routine): boolean {
  let acting = known.get(catalog)
  if (acting === undefined) {
    const influence = new Influence()
    for (const routine of catalog.functions.values()) addFunction(catalog, influence, routine)
    for (const relation of catalog.relations.values()) addRelation(catalog, influence, relation)
    addTypes(catalog, influence)
    addOperatorsAndCasts(catalog, influence)
    acting = influence.reach()
    known.set(catalog, acting)
  }
  return acting.has(functionOf(oid))
}

function addFunction(catalog: Catalog, influence: Influence, routine: Routine): void {
  const own = functionOf(routine.oid)
  influence.add(nameOf(routine.name), own)
  if (isLeftToItsWord(routine)) {
    if (routine.volatility === 'v' || takingNumbers.has(routine.name)) influence.start(own)
    if (routine.schema.isOfPostgres) return
  }
  for (const type of [...routine.argumentTypes, routine.returns]) addType(influence, own, type)
  if (isLeftToItsWord(routine)) return
  const tokens = tokensOf(routine)
  if (!isWritten(routine) || routine.kind !== 'function') influence.start(own)
  else if (routine.sqlBody !== null) addTree(catalog, influence, own, routine.sqlBody)
  else if (mayAct(tokens, routine.language)) influence.start(own)
  else {
    influence.add(own, ANYTHING)
    const words = tokens.filter(({ type }) => type === 'word' || type === 'name')
    for (const word of new Set(words.map(({ value }) => value))) influence.add(own, nameOf(word))
    const signs = tokens.filter(({ type }) => type === 'sign')
    for (const sign of new Set(signs.flatMap(({ value }) => operatorsIn(value))))
      influence.add(own, operatorOf(sign))
  }
}

/** Whose body is somebody else's, or is not to be read; an aggregate is what its steps are. */
const isLeftToItsWord = ({ schema, extension, kind, language }: Routine): boolean =>
  schema.isOfPostgres ||
  extension !== null ||
  kind === 'aggregate' ||
  language === 'c' ||
  language === 'internal'

function addRelation(catalog: Catalog, influence: Influence, relation: Relation): void {
  if (relation.schema.isOfPostgres) return
  const own = relationOf(relation.oid)
  influence.add(nameOf(relation.name), own)
  if (relation.kind === 'f') influence.start(own)
  for (const parent of relation.parents) influence.add(relationOf(parent), own)
  for (const { type } of relation.columns) addType(influence, own, type)
  for (const { event, action } of relation.rules)
    if (event === 'select') addTree(catalog, influence, own, action)
  for (const { command, using } of relation.policies)
    if (using !== null && (command === 'select' || command === 'all'))
      addTree(catalog, influence, own, using)
}

function addTypes(catalog: Catalog, influence: Influence): void {
  for (const type of catalog.types.values()) {
    if (type.oid < FIRST_OID_OF_OTHERS) continue
    const own = typeOf(type.oid)
    influence.add(nameOf(type.name), own)
    influence.add(own, functionOf(type.input))
    influence.add(own, relationOf(type.relation))
    for (const part of [type.base, type.element]) addType(influence, own, part)
  }
  for (const { of, on } of catalog.parts) {
    const own = of.kind === 'type' ? sideOf(of.oid) : functionOf(of.oid)
    if ('tree' in on) addTree(catalog, influence, own, on)
    else influence.add(own, on.kind === 'type' ? typeOf(on.oid) : functionOf(on.oid))
  }
}

/** Values of a type of somebody's own come from something that names it; those of Postgres' are everywhere. */
const sideOf = (type: number): string => (type >= FIRST_OID_OF_OTHERS ? typeOf(type) : ANYTHING)

function addType(influence: Influence, dependent: string, type: number): void {
  if (type >= FIRST_OID_OF_OTHERS) influence.add(dependent, typeOf(type))
}

function addOperatorsAndCasts({ operators, casts }: Catalog, influence: Influence): void {
  const addSides = (one: number, other: number, on: number): void => {
    const own = [one, other].filter((type) => type >= FIRST_OID_OF_OTHERS)
    for (const side of own) influence.add(typeOf(side), functionOf(on))
    if (own.length === 0) influence.add(ANYTHING, functionOf(on))
  }
  for (const { name, function: oid, left, right } of operators.values()) {
    if (oid < FIRST_OID_OF_OTHERS) continue
    influence.add(operatorOf(name), functionOf(oid))
    if (unspoken.has(name)) addSides(left, right, oid)
  }
  for (const { source, target, function: oid } of casts)
    if (oid >= FIRST_OID_OF_OTHERS) addSides(source, target, oid)
}

function addTree(catalog: Catalog, influence: Influence, own: string, { tree }: Expression): void {
  const uses = usesOf(catalog, tree)
  if (uses.acts) influence.start(own)
  for (const oid of uses.functions) influence.add(own, functionOf(oid))
  for (const oid of uses.relations) influence.add(own, relationOf(oid))
  for (const oid of uses.types) addType(influence, own, oid)
}
