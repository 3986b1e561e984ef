import type { Catalog } from '../../catalog/catalog.ts'
import { type TreeNode, type TreeValue, valuesOf, wordOf } from '../../catalog/parse-node-tree.ts'

/** What an expression or a query uses, by oid. */
export interface Uses {
  functions: Set<number>
  relations: Set<number>
  /** What values are made into by their input function or the check of a domain. */
  types: Set<number>
  /** That it writes, locks rows or draws from a sequence. */
  acts: boolean
  /** That it asks for the time or the user: `current_date`. */
  asksSession: boolean
}

const functionFields = new Set(['funcid', 'opfuncid', 'aggfnoid', 'winfnoid'])
const operatorFields = new Set(['opno', 'eqop', 'sortop', 'opnos'])
const SELECT = '1'

export function usesOf({ operators }: Pick<Catalog, 'operators'>, tree: TreeNode): Uses {
  const uses: Uses = {
    functions: new Set(),
    relations: new Set(),
    types: new Set(),
    acts: false,
    asksSession: false,
  }
  const visit = (node: TreeNode): void => {
    const { type } = node
    if (type === 'SQLVALUEFUNCTION') uses.asksSession = true
    if (type === 'ROWMARKCLAUSE' || type === 'NEXTVALUEEXPR') uses.acts = true
    if (type === 'QUERY' && wordOf(node, 'commandType') !== SELECT) uses.acts = true
    for (const [field, value] of Object.entries(node.fields)) {
      if (functionFields.has(field)) uses.functions.add(Number(value))
      else if (operatorFields.has(field))
        for (const operator of valuesOf(node, field))
          uses.functions.add(operators.get(Number(operator))?.function ?? 0)
      else if (field === 'relid') uses.relations.add(Number(value))
      else if (field === 'resulttype') uses.types.add(Number(value))
      visitValue(value)
    }
  }
  const visitValue = (value: TreeValue): void => {
    if (typeof value === 'string') return
    if (Array.isArray(value)) for (const item of value) visitValue(item)
    else visit(value as TreeNode)
  }
  visit(tree)
  return uses
}
