import type { Rule } from '../rule.ts'
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
export const policyRules: readonly Rule[] = [
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
]
