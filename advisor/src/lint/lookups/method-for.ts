import type { Catalog } from '../../catalog/catalog.ts'
import { childrenOf, numberOf, type TreeNode, wordOf } from '../../catalog/parse-node-tree.ts'
import type { Lookup, Search } from './find-lookups.ts'

/** As an index is made where nothing is said of its kind: what an operator has to be to it, by access method. */
const methods = ['btree', 'gin', 'gist', 'spgist'] as const
type Method = (typeof methods)[number]

/** btree's equality. What is less or greater may be nearly all there is: no index is missing for it. */
const EQUAL = 3

/** The kind of index that answers a lookup without an operator class being named, or null. */
export function methodFor(catalog: Catalog, { operand, operator }: Lookup): Method | null {
  if (!isImmutable(catalog, operand)) return null
  const families = catalog.operatorClasses.families.get(operator) ?? []
  if (families.some(({ method, strategy }) => method === 'btree' && strategy !== EQUAL)) return null
  const serves = (method: Method): boolean => {
    const defaults = new Set(catalog.operatorClasses.defaults.get(method)?.values())
    return families.some((one) => one.method === method && defaults.has(one.family))
  }
  return methods.find(serves) ?? null
}

/** A search without what no index is missing for; null where nothing is left. */
export function onlyPossible(catalog: Catalog, search: Search): Search | null {
  const oneOf = search.oneOf.flatMap((one): Search['oneOf'] => {
    if (!Array.isArray(one)) return one.isForAll || methodFor(catalog, one) === null ? [] : [one]
    const arms = one.map((arm) => onlyPossible(catalog, arm))
    return arms.every((arm) => arm !== null) ? [arms] : []
  })
  return oneOf.length === 0 ? null : { ...search, oneOf }
}

const TEXTS = new Set([25, 1043])

/** What an index may be on. */
function isImmutable(catalog: Catalog, node: TreeNode): boolean {
  for (const field of ['funcid', 'opfuncid']) {
    const called = numberOf(node, field)
    if (called !== 0 && catalog.functions.get(called)?.volatility !== 'i') return false
  }
  if (node.type === 'COERCEVIAIO' && !isReadAlike(catalog, node)) return false
  if (/^(XMLEXPR|SQLVALUEFUNCTION|NEXTVALUEEXPR|COERCETODOMAIN|ARRAYCOERCEEXPR)$/.test(node.type))
    return false
  return childrenOf(node).every((child) => isImmutable(catalog, child))
}

/** A text that is read as something else, whatever the settings are. */
function isReadAlike({ types, functions }: Catalog, node: TreeNode): boolean {
  const [from] = childrenOf(node)
  const source =
    from === undefined
      ? ''
      : ['vartype', 'opresulttype', 'funcresulttype', 'resulttype']
          .map((field) => wordOf(from, field))
          .find((word) => word !== '')
  const input = types.get(numberOf(node, 'resulttype'))?.input ?? 0
  return TEXTS.has(Number(source)) && functions.get(input)?.volatility === 'i'
}
