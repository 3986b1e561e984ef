import type { Catalog, Relation } from '../../catalog/catalog.ts'
import { nodesIn, numberOf, type TreeNode, wordOf } from '../../catalog/parse-node-tree.ts'
import { quoteName } from '../mends/quote-name.ts'

/** An expression over the columns of a table as SQL, or null where it is not of the few forms that are known here. */
export function writeExpression(
  catalog: Catalog,
  relation: Relation,
  node: TreeNode,
): string | null {
  const write = (one: TreeNode): string | null => writeExpression(catalog, relation, one)
  const parts = nodesIn(node, 'args').map(write)
  switch (node.type) {
    case 'VAR':
      return (
        relation.columns.find(({ number }) => number === numberOf(node, 'varattno'))?.sql ?? null
      )
    case 'CONST':
      return writeConstant(node)
    case 'RELABELTYPE':
    case 'COERCEVIAIO':
      return writeCast(catalog, node, nodesIn(node, 'arg').map(write)[0])
    case 'FUNCEXPR':
      return parts.includes(null) ? null : writeCall(catalog, node, parts)
    case 'OPEXPR':
      return parts.includes(null) ? null : writeOperator(catalog, node, parts)
    default:
      return null
  }
}

const TEXT = '25'
const INTEGER = '23'

function writeConstant(node: TreeNode): string | null {
  const value = Object.values(node.fields['constvalue'] ?? {}).find(
    (part) => typeof part === 'string' && part.startsWith('['),
  )
  const bytes = Buffer.from(
    String(value ?? '')
      .slice(1, -1)
      .split(' ')
      .map(Number),
  )
  const type = wordOf(node, 'consttype')
  if (type === INTEGER && bytes.length === 8) return String(bytes.readInt32LE(0))
  // A text is told with the four bytes that say its length.
  if (type !== TEXT || bytes.length < 4 || bytes.readUInt32LE(0) !== bytes.length * 4) return null
  const text = bytes.subarray(4).toString()
  return text.includes('\\') ? null : `'${text.replaceAll("'", "''")}'`
}

/** CoercionForm: written as a cast, and not left to Postgres. */
const EXPLICIT = '1'
const IMPLICIT = '2'

function writeCast({ types }: Catalog, node: TreeNode, operand: string | null | undefined) {
  const form = wordOf(node, 'relabelformat') || wordOf(node, 'coerceformat')
  const type = types.get(numberOf(node, 'resulttype'))?.sql
  if (operand == null || type === undefined) return null
  return form === IMPLICIT ? operand : `(${operand})::${type}`
}

function writeCall({ functions, types }: Catalog, node: TreeNode, parts: (string | null)[]) {
  const form = wordOf(node, 'funcformat')
  const called = functions.get(numberOf(node, 'funcid'))
  if (form === IMPLICIT) return parts[0] ?? null
  if (called === undefined) return null
  if (form === EXPLICIT) {
    const type = types.get(called.returns)?.sql
    return parts.length === 1 && type !== undefined ? `(${parts[0]})::${type}` : null
  }
  if (form !== '0' || wordOf(node, 'funcvariadic') !== '') return null
  const name = called.schema.isOfPostgres
    ? quoteName(called.name)
    : `${called.schema.sql}.${quoteName(called.name)}`
  return `${name}(${parts.join(', ')})`
}

function writeOperator({ operators, schemas }: Catalog, node: TreeNode, parts: (string | null)[]) {
  const operator = operators.get(numberOf(node, 'opno'))
  if (operator === undefined || parts.length !== 2) return null
  const schema = schemas.get(operator.schema)
  const name =
    schema === undefined || schema.isOfPostgres
      ? operator.name
      : `operator(${schema.sql}.${operator.name})`
  return `(${parts[0]} ${name} ${parts[1]})`
}
