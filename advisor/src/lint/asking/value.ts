import type { Catalog } from '../../catalog/catalog.ts'
import { type TreeNode, wordOf } from '../../catalog/parse-node-tree.ts'
import { readConstant, textOf } from '../expressions/constants.ts'
import { resolveColumn, type Scope } from '../expressions/scope.ts'
import { argumentsOf, unwrap } from '../expressions/unwrap.ts'
import type { Identity } from './identity.ts'

/** What is taken as given while a condition is judged. */
export interface Facts {
  catalog: Catalog
  identity: Identity
  /** The role that asks, where its name matters. */
  role: string | null
  /** That nobody has signed in: what says who asks is null. */
  isNobody: boolean
}

/** A value as far as it can be known without a row. */
export type Value =
  | { kind: 'null' }
  | { kind: 'constant'; type: string; value: string }
  /** Always the same within a row: a column, or who asks. */
  | { kind: 'same'; key: string; isNullable: boolean; isIdentity: boolean }
  | { kind: 'other'; isNullable: boolean }

const other = (isNullable: boolean): Value => ({ kind: 'other', isNullable })

export function readValue(start: TreeNode, around: Scope, facts: Facts): Value {
  const { node, scope } = unwrap(start, around)
  const constant = readConstant(node)
  if (constant !== null)
    return constant.isNull
      ? { kind: 'null' }
      : { kind: 'constant', type: constant.type, value: constant.value }
  if (node.type === 'VAR') return columnValue(node, scope, facts)
  const role = roleValue(node, scope, facts)
  if (role !== null) return role
  const own = facts.identity.sourcesOf(node)
  if (own.length > 0) return identityValue(node, own, facts)
  return computed(node, scope, facts)
}

function columnValue(node: TreeNode, scope: Scope, { catalog }: Facts): Value {
  const found = resolveColumn(node, scope)
  if (found === null) return other(true)
  const column = catalog.relations
    .get(found.relation)
    ?.columns.find(({ number }) => number === found.column)
  // What an outer join adds may be null wherever it comes from.
  return {
    kind: 'same',
    key: found.key,
    isNullable: column?.notNull !== true || !found.isOfRow,
    isIdentity: false,
  }
}

/** The name of the role that asks: current_user, and what PostgREST and Supabase say of it. */
function roleValue(node: TreeNode, scope: Scope, facts: Facts): Value | null {
  return facts.role !== null && saysTheRole(node, scope, facts)
    ? { kind: 'constant', type: 'text', value: facts.role }
    : null
}

/** SQLValueFunctionOp of current_role, current_user and user. */
const currentUser = new Set(['9', '10', '11'])

export function saysTheRole(node: TreeNode, scope: Scope, { catalog, identity }: Facts): boolean {
  if (node.type === 'SQLVALUEFUNCTION') return currentUser.has(wordOf(node, 'op'))
  if (node.type === 'FUNCEXPR') {
    const routine = catalog.functions.get(Number(wordOf(node, 'funcid')))
    if (routine?.name === 'current_setting')
      return /^(role|request\.jwt\.claim\.role)$/.test(textOf(argumentsOf(node)[0]) ?? '')
    return (
      routine?.schema.name === 'auth' &&
      routine.name === 'role' &&
      routine.argumentTypes.length === 0
    )
  }
  if (node.type !== 'OPEXPR') return false
  const [claims, field] = argumentsOf(node)
  if (claims === undefined || field === undefined || !/^->>?$/.test(operatorOf(node, catalog)))
    return false
  const { node: from } = unwrap(claims, scope)
  return textOf(unwrap(field, scope).node) === 'role' && identity.sourcesOf(from).length > 0
}

function identityValue(
  node: TreeNode,
  sources: ReturnType<Identity['sourcesOf']>,
  { catalog, isNobody }: Facts,
): Value {
  const routine = catalog.functions.get(Number(wordOf(node, 'funcid')))
  const isWho =
    node.type === 'FUNCEXPR' && sources.some(({ kind }) => kind === 'trusted' || kind === 'setting')
  const hasArguments =
    (routine?.argumentTypes.length ?? 1) > 0 && routine?.name !== 'current_setting'
  if (!isWho || hasArguments || routine?.returnsSet === true) return other(true)
  return isNobody
    ? { kind: 'null' }
    : { kind: 'same', key: `who ${sources[0]?.key}`, isNullable: true, isIdentity: true }
}

/** What is computed of null by what answers to null with null. */
function computed(node: TreeNode, scope: Scope, facts: Facts): Value {
  const { catalog } = facts
  const parts = () => argumentsOf(node).map((part) => readValue(part, scope, facts))
  if (node.type === 'COALESCEEXPR') {
    const values = parts().filter(({ kind }) => kind !== 'null')
    const [first] = values
    if (first === undefined) return { kind: 'null' }
    return first.kind === 'constant' || values.length === 1
      ? first
      : other(values.every(isNullable))
  }
  if (node.type === 'NULLIFEXPR') {
    const [first] = parts()
    return first?.kind === 'null' || (first?.kind === 'same' && first.isIdentity)
      ? first
      : other(true)
  }
  const isStrict =
    node.type === 'OPEXPR'
      ? catalog.functions.get(Number(wordOf(node, 'opfuncid')))?.isStrict
      : node.type === 'FUNCEXPR' && catalog.functions.get(Number(wordOf(node, 'funcid')))?.isStrict
  return isStrict === true && parts().some(({ kind }) => kind === 'null')
    ? { kind: 'null' }
    : other(true)
}

export const isNullable = (value: Value): boolean =>
  value.kind === 'null' || ((value.kind === 'same' || value.kind === 'other') && value.isNullable)

/** How Postgres' own operator is written; empty for other people's. */
export function operatorOf(node: TreeNode, catalog: Catalog): string {
  const operator = catalog.operators.get(Number(wordOf(node, 'opno')))
  return operator !== undefined && catalog.schemas.get(operator.schema)?.isOfPostgres === true
    ? operator.name
    : ''
}
