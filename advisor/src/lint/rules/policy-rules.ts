import type { Catalog } from '../../catalog/catalog.ts'
import type { Names } from '../../names.ts'
import type { Fault, Rule } from '../rule.ts'
import {
  identityByPattern,
  identityFromSetting,
  identityFromUserMetadata,
  identityIsDatabaseRole,
} from './identity-sources.ts'
import { policyToLoginRole } from './login-roles.ts'
import {
  policyCallsFunctionPerRow,
  policyCallsVolatileFunction,
  policyToPublic,
} from './policies.ts'
import {
  policyExcludesOneself,
  policyOpenToNobody,
  policyShowsRowsOfNobody,
} from './policies-and-null.ts'
import {
  policyAlwaysTrue,
  policyLetsEverybodyWrite,
  policyTrustsRole,
  policyVoidsAnother,
} from './policies-that-ask-nobody.ts'
import { policyContradictsItself, rowCanBeGivenAway } from './policies-with-check.ts'
import {
  columnComparedWithItself,
  membershipOfAnybody,
  membershipOfAnything,
  subSelectAnswersWithRow,
} from './policies-with-sub-selects.ts'

/** Rules about who is asked, the gravest first. */
export const policyRules: readonly Rule[] = inTurn([
  columnComparedWithItself,
  subSelectAnswersWithRow,
  membershipOfAnybody,
  membershipOfAnything,
  policyLetsEverybodyWrite,
  policyOpenToNobody,
  policyExcludesOneself,
  policyToLoginRole,
  identityFromSetting,
  identityFromUserMetadata,
  identityByPattern,
  identityIsDatabaseRole,
  rowCanBeGivenAway,
  policyTrustsRole,
  policyVoidsAnother,
  policyAlwaysTrue,
  policyShowsRowsOfNobody,
  policyContradictsItself,
  policyCallsVolatileFunction,
  policyCallsFunctionPerRow,
  policyToPublic,
])

/**
 * Two mends of one policy would each write it from what it is now, and the second undo the first: the gravest rule has it
 * written anew, the others say for afterwards what they would.
 */
function inTurn(all: readonly Rule[]): Rule[] {
  const found = new WeakMap<
    Catalog,
    { names: Names; faults: Map<string, Fault[]>; first: Map<string, string> }
  >()
  const findAll = (catalog: Catalog, names: Names) => {
    const before = found.get(catalog)
    if (before?.names === names) return before
    const faults = new Map(all.map((rule) => [rule.name, rule.find(catalog, names)]))
    const first = new Map<string, string>()
    for (const [name, ofRule] of faults)
      for (const { object, mend } of ofRule)
        if (rewrites(mend) && !first.has(object)) first.set(object, name)
    const now = { names, faults, first }
    found.set(catalog, now)
    return now
  }
  return all.map((rule) => ({
    ...rule,
    find: (catalog, names) => {
      const { faults, first } = findAll(catalog, names)
      return (faults.get(rule.name) ?? []).map((fault) => {
        const before = first.get(fault.object)
        if (before === undefined || before === rule.name || !rewrites(fault.mend)) return fault
        return {
          ...fault,
          mend: `-- when it has been mended as ${before} says:\n${commentedOut(fault.mend)}`,
        }
      })
    },
  }))
}

const rewrites = (mend: string): boolean => /^(alter|drop) policy /m.test(mend)

const commentedOut = (mend: string): string => mend.replaceAll(/^(?!--)/gm, '-- ')
