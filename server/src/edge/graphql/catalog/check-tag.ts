import { isValidBehaviorString } from 'graphile-build'
import type { TagLine } from './tag-lines.ts'

/** What may be said once, with a word after it. */
const ONE_VALUE =
  /^(name|enumName|fieldName|foreignFieldName|foreignSingleFieldName|foreignSimpleFieldName|foreignConnectionFieldName|resultFieldName|primaryKey|interface|nodeIdCodec|arg\d+variant|arg\d+modifier)$/

/** What may be said again, with a word after it each time. */
const SOME_VALUES = /^(foreignKey|unique|ref|refVia|type|implements|unionMember)$/

const BEHAVIOR = /^behaviou?rs?$/

/** Says why PostGraphile could not follow a line of a comment, whatever it is about; null where it may. */
export function checkTag({ tag, value }: TagLine, lines: readonly TagLine[]): string | null {
  if (ONE_VALUE.test(tag) && lines.filter((one) => one.tag === tag).length > 1)
    return 'it is given more than once'
  if ((ONE_VALUE.test(tag) || SOME_VALUES.test(tag)) && (value ?? '').trim() === '')
    return 'nothing is said after it'
  if (BEHAVIOR.test(tag) && !isValidBehaviorString(value)) return 'that is no behavior'
  // Of what GraphQL calls by a name: an interface, a union.
  if (/^(implements|unionMember)$/.test(tag) && !/^\s*[_A-Za-z]\w*\s*$/.test(value ?? ''))
    return 'that is no name in GraphQL'
  const [refName] = (value ?? '').trim().split(/\s/)
  const isVia = (one: TagLine) =>
    one.tag === 'refVia' && one.value?.trim().split(/\s/)[0] === refName
  if (tag === 'ref' && !/\s(to|via):/.test(value ?? '') && !lines.some(isVia))
    return 'it says neither to: nor via:'
  return null
}
