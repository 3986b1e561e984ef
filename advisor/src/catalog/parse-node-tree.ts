/**
 * An expression or a query as Postgres keeps it in the catalog: `{OPEXPR :opno 2972 :args ({VAR :varno 1 …})}`.
 * What no rule asks about is left out: places in texts, fields that are empty (`<>`) or false.
 */
export interface TreeNode {
  /** `FUNCEXPR`, `VAR`, `SUBLINK` … */
  readonly type: string
  /** By field. One value stands for itself, several are a list. */
  readonly fields: Readonly<Record<string, TreeValue>>
}
/** A word, `[1 0 0 0]` for the bytes of a constant, a node, or a list of these. */
export type TreeValue = string | TreeNode | readonly TreeValue[]

/** Of no interest, and a large part of each tree. */
const leftOut = new Set([
  ...[
    'location',
    'list_start',
    'list_end',
    'rexpr_list_start',
    'rexpr_list_end',
    'stmt_location',
    'stmt_len',
  ],
  ...[
    'vartypmod',
    'resulttypmod',
    'consttypmod',
    'paramtypmod',
    'colnames',
    'querySource',
    'canSetTag',
  ],
])

/** Words that every tree has: one string for each instead of one for each place. */
const words = new Map<string, string>()
const MOST_WORDS = 20_000

/**
 * How deep nodes may stand in one another. Whoever goes through a tree goes down it, and a tree of thousands of levels would
 * be more than the stack holds.
 */
const DEEPEST = 1000

/** What stands for all that is deeper: of no type that anybody knows. */
export const UNREAD = 'UNREAD'

/** Parses a pg_node_tree; the form is that of outfuncs.c, in which a backslash escapes what would divide. @param tellCut told when something was too deep to be read */
export function parseNodeTree(text: string, tellCut: () => void = () => {}): TreeNode {
  const token = /[(){}]|(?:\\[\s\S]|[^\s(){}\\])+/g
  const next = (): string | undefined => token.exec(text)?.[0]
  const bytes = (): string => {
    const start = token.lastIndex
    const end = text.indexOf(']', start)
    token.lastIndex = end + 1
    return `[${text.slice(start, end).trim()}]`
  }
  let depth = 0
  /** To the end of what has been opened. */
  const pass = (): void => {
    for (let open = 1; open > 0; ) {
      const found = next()
      if (found === undefined) return
      if (found === '{' || found === '(') open += 1
      else if (found === '}' || found === ')') open -= 1
    }
  }
  const within = <T extends TreeValue>(read: () => T): TreeValue => {
    if (depth >= DEEPEST) {
      pass()
      tellCut()
      return { type: UNREAD, fields: {} }
    }
    depth += 1
    const found = read()
    depth -= 1
    return found
  }
  const value = (first: string): TreeValue => {
    if (first === '{') return within(node)
    if (first === '(') return within(list)
    return first === '[' ? bytes() : wordIn(first)
  }
  const list = (): TreeValue[] => {
    const items: TreeValue[] = []
    for (let found = next(); found !== undefined && found !== ')'; found = next())
      items.push(value(found))
    return items
  }
  const node = (): TreeNode => {
    const type = wordIn(next() ?? '')
    const fields: Record<string, TreeValue> = {}
    let found = next()
    while (found !== undefined && found !== '}') {
      const name = wordIn(found.slice(1))
      const values: TreeValue[] = []
      // What follows the name is its value, also where an alias begins with a colon.
      for (found = next(); found !== undefined && found !== '}'; found = next()) {
        if (values.length > 0 && found.startsWith(':')) break
        values.push(value(found))
      }
      const [only] = values
      if (leftOut.has(name) || only === undefined || only === '<>' || only === 'false') continue
      fields[name] = values.length === 1 ? only : values
    }
    return { type, fields }
  }
  next()
  return node()
}

function wordIn(found: string): string {
  const known = words.get(found)
  if (known !== undefined) return known
  // Without being cut out of the whole text, which would stay as long as it does.
  const word = Buffer.from(found.replaceAll(/\\([\s\S])/g, '$1')).toString()
  if (words.size < MOST_WORDS) words.set(found, word)
  return word
}

/** What a field holds, as a list. */
export function valuesOf(node: TreeNode, field: string): readonly TreeValue[] {
  const value = node.fields[field]
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value as TreeValue]
}

/** The nodes in a field, however deep in lists. */
export const nodesIn = (node: TreeNode, field: string): TreeNode[] => nodesOf(valuesOf(node, field))

/** The nodes directly below a node, in the order in which they are written. */
export function childrenOf({ fields }: TreeNode): TreeNode[] {
  const found: TreeNode[] = []
  for (const name in fields) addNodes(fields[name], found)
  return found
}

/** The nodes in a list, however deep. */
export function nodesOf(values: readonly TreeValue[]): TreeNode[] {
  const found: TreeNode[] = []
  addNodes(values, found)
  return found
}

/** Every rule walks every tree by this: without a list for each step. */
function addNodes(value: TreeValue | undefined, found: TreeNode[]): void {
  if (value === undefined || typeof value === 'string') return
  if (Array.isArray(value)) for (const item of value) addNodes(item, found)
  else found.push(value as TreeNode)
}

/** A field with one word: a number, true; '' where it is not there, is false or holds something else. */
export function wordOf(node: TreeNode, field: string): string {
  const value = node.fields[field]
  const first = Array.isArray(value) ? value[0] : value
  return typeof first === 'string' ? first : ''
}

/** A field with a number; an oid, an attnum. 0 where it is not there. */
export const numberOf = (node: TreeNode, field: string): number => Number(wordOf(node, field))

/** A set of numbers, as columns stand in it: `(b 8 9)`. Columns are told 7 higher than they are. */
export function columnsOf(node: TreeNode, field: string): number[] {
  return valuesOf(node, field)
    .filter((value) => typeof value === 'string' && value !== 'b')
    .map((value) => Number(value) - 7)
}
