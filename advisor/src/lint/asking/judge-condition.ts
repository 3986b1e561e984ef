import { nodesIn, type TreeNode, wordOf } from '../../catalog/parse-node-tree.ts'
import { readConstant } from '../expressions/constants.ts'
import { rangeTableOf, type Scope, targetsOf, within } from '../expressions/scope.ts'
import {
  and,
  FALSE,
  isAlways,
  NULL,
  not,
  or,
  TRUE,
  type Truth,
  UNKNOWN,
} from '../expressions/truth.ts'
import { ANY, argumentsOf, EXISTS, plainQueryOf, queryOf } from '../expressions/unwrap.ts'
import { keyOfTree } from '../lookups/key-of-tree.ts'
import { type Facts, isNullable, operatorOf, readValue, type Value } from './value.ts'

/** What a condition may come to, over all rows and all who may ask. */
export function judgeCondition(node: TreeNode, scope: Scope, facts: Facts): Truth {
  const judge = (inner: TreeNode) => judgeCondition(inner, scope, facts)
  const parts = () => argumentsOf(node)
  switch (node.type) {
    case 'BOOLEXPR':
      return judgeBoolean(wordOf(node, 'boolop'), parts(), judge)
    case 'CONST': {
      const constant = readConstant(node)
      return constant === null || constant.isNull
        ? NULL
        : constant.value === 'true'
          ? TRUE
          : constant.value === 'false'
            ? FALSE
            : UNKNOWN
    }
    case 'OPEXPR':
    case 'DISTINCTEXPR':
      return judgeComparison(node, scope, facts)
    case 'SCALARARRAYOPEXPR':
      return judgeList(node, scope, facts)
    case 'NULLTEST':
      return judgeNullTest(node, scope, facts)
    case 'BOOLEANTEST':
      return judgeBooleanTest(
        wordOf(node, 'booltesttype'),
        nodesIn(node, 'arg').map(judge)[0] ?? UNKNOWN,
      )
    case 'COALESCEEXPR':
      return parts()
        .map(judge)
        .reduce((all, one) => ((all & NULL) === 0 ? all : (all & ~NULL) | one), NULL)
    case 'CASEEXPR':
      return judgeCase(node, judge)
    case 'SUBLINK':
      return judgeSubSelect(node, scope, facts)
    case 'VAR':
      return TRUE | FALSE | (isNullable(readValue(node, scope, facts)) ? NULL : 0)
    case 'RELABELTYPE':
    case 'COLLATEEXPR':
      return nodesIn(node, 'arg').map(judge)[0] ?? UNKNOWN
    default:
      return readValue(node, scope, facts).kind === 'null' ? NULL : UNKNOWN
  }
}

function judgeBoolean(word: string, parts: TreeNode[], judge: (inner: TreeNode) => Truth): Truth {
  const each = parts.map(judge)
  if (word === 'not') return not(each[0] ?? UNKNOWN)
  const all = word === 'and' ? each.reduce(and, TRUE) : each.reduce(or, FALSE)
  // `a or not a` is never false, `a and not a` never true.
  return hasItsOpposite(parts) ? all & ~(word === 'and' ? TRUE : FALSE) : all
}

function hasItsOpposite(parts: TreeNode[]): boolean {
  const isNegation = (part: TreeNode) =>
    part.type === 'BOOLEXPR' && wordOf(part, 'boolop') === 'not'
  const denied = parts.filter(isNegation).flatMap(argumentsOf).map(keyOfTree)
  return denied.length > 0 && parts.some((part) => denied.includes(keyOfTree(part)))
}

function judgeComparison(node: TreeNode, scope: Scope, facts: Facts): Truth {
  const [one, other] = argumentsOf(node).map((part) => readValue(part, scope, facts))
  if (one === undefined || other === undefined) return UNKNOWN
  const operator = operatorOf(node, facts.catalog)
  if (node.type === 'DISTINCTEXPR') return judgeDistinct(one, other)
  return compare(operator, one, other)
}

function judgeDistinct(one: Value, other: Value): Truth {
  const equal = isAlwaysEqual(one, other)
  if (one.kind === 'null' && other.kind === 'null') return FALSE
  if (equal !== null) return equal ? FALSE : TRUE
  if (
    [one, other].some(({ kind }) => kind === 'null') &&
    [one, other].some((value) => !isNullable(value))
  )
    return TRUE
  return TRUE | FALSE
}

const reflexive = new Map([
  ['=', true],
  ['<=', true],
  ['>=', true],
  ['<>', false],
  ['<', false],
  ['>', false],
])

/** Comparisons are strict: with null they come to null. */
export function compare(operator: string, one: Value, other: Value): Truth {
  const isSame = reflexive.get(operator)
  if (isSame === undefined)
    return operator !== '' && [one, other].some(({ kind }) => kind === 'null') ? NULL : UNKNOWN
  if (one.kind === 'null' || other.kind === 'null') return NULL
  const nulls = isNullable(one) || isNullable(other) ? NULL : 0
  const equal = isAlwaysEqual(one, other)
  if (equal === true) return (isSame ? TRUE : FALSE) | nulls
  if (equal === false && operator === '=') return FALSE
  if (equal === false && operator === '<>') return TRUE
  return TRUE | FALSE | nulls
}

/** Null where that is not known; and only where neither is null. */
function isAlwaysEqual(one: Value, other: Value): boolean | null {
  if (one.kind === 'same' && other.kind === 'same') return one.key === other.key ? true : null
  if (one.kind !== 'constant' || other.kind !== 'constant' || one.type !== other.type) return null
  if (one.value === other.value) return true
  return ['text', 'integer', '16'].includes(one.type) ? false : null
}

/** `x in (…)` and `x = any (array[…])`, where each is written. */
function judgeList(node: TreeNode, scope: Scope, facts: Facts): Truth {
  const [one, list] = argumentsOf(node)
  if (one === undefined || list?.type !== 'ARRAYEXPR') return UNKNOWN
  const value = readValue(one, scope, facts)
  const operator = operatorOf(node, facts.catalog)
  const each = nodesIn(list, 'elements').map((item) =>
    compare(operator, value, readValue(item, scope, facts)),
  )
  return wordOf(node, 'useOr') === 'true' ? each.reduce(or, FALSE) : each.reduce(and, TRUE)
}

function judgeNullTest(node: TreeNode, scope: Scope, facts: Facts): Truth {
  const [argument] = nodesIn(node, 'arg')
  if (argument === undefined || wordOf(node, 'argisrow') === 'true') return UNKNOWN
  const value = readValue(argument, scope, facts)
  const isNull = value.kind === 'null' ? TRUE : isNullable(value) ? TRUE | FALSE : FALSE
  return wordOf(node, 'nulltesttype') === '0' ? isNull : not(isNull)
}

/** BoolTestType: is true, is not true, is false, is not false, is unknown, is not unknown. */
function judgeBooleanTest(type: string, set: Truth): Truth {
  const asked = [TRUE, FALSE, NULL][Math.floor(Number(type) / 2)] ?? UNKNOWN
  const found = ((set & asked) === 0 ? 0 : TRUE) | ((set & ~asked) === 0 ? 0 : FALSE)
  return Number(type) % 2 === 0 ? found : not(found)
}

function judgeCase(node: TreeNode, judge: (inner: TreeNode) => Truth): Truth {
  const field = (of: TreeNode, name: string) => nodesIn(of, name)[0]
  const isPlain = field(node, 'arg') === undefined
  let results = 0
  for (const branch of argumentsOf(node)) {
    const condition = field(branch, 'expr')
    const result = field(branch, 'result')
    const met = condition === undefined || !isPlain ? UNKNOWN : judge(condition)
    if ((met & TRUE) !== 0) results |= result === undefined ? UNKNOWN : judge(result)
    if (isAlways(met)) return results
  }
  const last = field(node, 'defresult')
  return results | (last === undefined ? NULL : judge(last))
}

function judgeSubSelect(node: TreeNode, scope: Scope, facts: Facts): Truth {
  const plain = plainQueryOf(node)
  const target = plain === null ? undefined : targetsOf(plain)[0]
  if (plain !== null && target !== undefined)
    return judgeCondition(target, within(scope, plain), facts)
  const query = queryOf(node)
  const type = wordOf(node, 'subLinkType')
  if (type === EXISTS && query !== undefined && rangeTableOf(query).length === 0)
    return nodesIn(query, 'jointree').some((join) => nodesIn(join, 'quals').length > 0)
      ? TRUE | FALSE
      : TRUE
  return type === EXISTS || type === ANY ? UNKNOWN & ~(type === EXISTS ? NULL : 0) : UNKNOWN
}
