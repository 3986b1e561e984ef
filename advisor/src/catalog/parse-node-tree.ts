/** An expression as Postgres keeps it in the catalog: `{OPEXPR :opno 2972 :args ({VAR :varno 1 …})}`. */
export interface TreeNode {
  /** `FUNCEXPR`, `VAR`, `SUBLINK` … */
  type: string
  fields: Map<string, TreeValue[]>
}
export type TreeValue = string | TreeNode | TreeValue[]

/** Parses a pg_node_tree; the form is that of outfuncs.c, in which a backslash escapes what would divide. */
export function parseNodeTree(text: string): TreeNode {
  const tokens = text.match(/[(){}]|(?:\\[\s\S]|[^\s(){}\\])+/g) ?? []
  let place = 0
  const value = (): TreeValue => {
    const token = tokens[place++]
    if (token === '{') return node()
    return token === '(' ? list() : (token ?? '')
  }
  const list = (): TreeValue[] => {
    const items: TreeValue[] = []
    while (place < tokens.length && tokens[place] !== ')') items.push(value())
    place += 1
    return items
  }
  const node = (): TreeNode => {
    const type = tokens[place++] ?? ''
    const fields = new Map<string, TreeValue[]>()
    let values: TreeValue[] = []
    while (place < tokens.length && tokens[place] !== '}') {
      const next = value()
      if (typeof next === 'string' && next.startsWith(':')) {
        values = []
        fields.set(next.slice(1), values)
      } else values.push(next)
    }
    place += 1
    return { type, fields }
  }
  place = 1
  return node()
}

/** The nodes directly below a node, in the order in which they are written. */
export function childrenOf({ fields }: TreeNode): TreeNode[] {
  return [...fields.values()].flatMap(nodesOf)
}

/** The nodes in a field, however deep in lists. */
export function nodesOf(values: readonly TreeValue[]): TreeNode[] {
  return values.flatMap((value) =>
    typeof value === 'string' ? [] : Array.isArray(value) ? nodesOf(value) : [value],
  )
}

/** A field with one word: a number, an oid, true. */
export function wordOf(node: TreeNode, field: string): string {
  const [value] = node.fields.get(field) ?? []
  return typeof value === 'string' ? value : ''
}
