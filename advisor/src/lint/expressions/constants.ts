import { type TreeNode, valuesOf, wordOf } from '../../catalog/parse-node-tree.ts'

export type Constant = { isNull: true } | { isNull: false; type: string; value: string }

/** The types whose values can be told apart by their bytes, and how they are shown. */
const BOOLEAN = '16'
const NAME = '19'
const integers = new Set(['20', '21', '23', '26'])
const texts = new Set(['25', '1042', '1043', '705'])

/** What a CONST holds; null for other nodes. Of types that are not known, as bytes. */
export function readConstant(node: TreeNode): Constant | null {
  if (node.type !== 'CONST') return null
  if (wordOf(node, 'constisnull') === 'true') return { isNull: true }
  const type = wordOf(node, 'consttype')
  const [, held = ''] = valuesOf(node, 'constvalue')
  const bytes =
    typeof held === 'string' ? (held.match(/-?\d+/g) ?? []).map((word) => Number(word) & 255) : []
  const value = readBytes(type, bytes)
  return {
    isNull: false,
    type: texts.has(type) || type === NAME ? 'text' : integers.has(type) ? 'integer' : type,
    value,
  }
}

function readBytes(type: string, bytes: number[]): string {
  if (type === BOOLEAN) return bytes[0] === 1 ? 'true' : 'false'
  if (integers.has(type)) return String(readInteger(bytes))
  if (type === NAME) return new TextDecoder().decode(Uint8Array.from(bytes)).replace(/\0.*$/s, '')
  // After four bytes with its length; of the type unknown, up to a zero.
  if (type === '705') return new TextDecoder().decode(Uint8Array.from(bytes)).replace(/\0.*$/s, '')
  if (texts.has(type)) return new TextDecoder().decode(Uint8Array.from(bytes.slice(4)))
  return bytes.join(' ')
}

/** Little-endian, as on every machine that Postgres is commonly run on; a Datum has eight bytes. */
function readInteger(bytes: number[]): bigint {
  const value = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  return BigInt.asIntN(bytes.length * 8, value)
}

const isText = (type: string): boolean => texts.has(type) || type === NAME

/** What can be read in a constant of whatever type: a path in an array, the keys of a jsonb one after another. */
export function legibleIn(node: TreeNode): string {
  const constant = readConstant(node)
  if (constant === null || constant.isNull) return ''
  return isText(wordOf(node, 'consttype'))
    ? constant.value
    : String.fromCharCode(...constant.value.split(' ').map(Number).slice(0, MOST_BYTES))
}

const MOST_BYTES = 10_000

/** The text of a constant that is a text, or null. */
export function textOf(node: TreeNode | undefined): string | null {
  if (node?.type !== 'CONST' || !isText(wordOf(node, 'consttype'))) return null
  const constant = readConstant(node)
  return constant === null || constant.isNull || constant.type !== 'text' ? null : constant.value
}
