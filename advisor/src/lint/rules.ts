import type { QueriedRule } from './queried-rule.ts'
import type { Rule } from './rule.ts'
import { permissionInComment, withoutComment } from './rules/comments.ts'
import { foreignKeyWithoutIndex, foreignKeyWithoutOnDelete } from './rules/foreign-keys.ts'
import {
  functionLeakproof,
  immutableThatReads,
  plpgsqlThatCouldBeSql,
  stableThatWrites,
  volatileThatOnlyReads,
} from './rules/function-bodies.ts'
import {
  executableByPublic,
  hookExecutableByOthers,
  searchPathWithoutPgTempLast,
  securityDefinerWithoutSearchPath,
} from './rules/functions.ts'
import {
  grantedToPublic,
  grantPastPolicies,
  insertOnWholeTable,
  selectListsColumns,
  updateOnWholeTable,
} from './rules/grants.ts'
import { indexBeginsAnother, indexDuplicate, indexInvalid, indexUnused } from './rules/indexes.ts'
import {
  ownedByRoleOfRequests,
  schemaOpenToRoleOfRequests,
  triggerGranted,
} from './rules/ownership.ts'
import { policyColumnWithoutIndex } from './rules/policy-columns.ts'
import { policyHelperPlannedAtEachCall } from './rules/policy-helpers.ts'
import { policyRules } from './rules/policy-rules.ts'
import {
  rowLevelSecurityNotForced,
  tableWithoutPolicy,
  tableWithoutRowLevelSecurity,
} from './rules/row-level-security.ts'
import {
  columnOfRegType,
  sequenceNearItsEnd,
  severalPermissivePolicies,
  tableWithoutPrimaryKey,
} from './rules/upkeep.ts'
import {
  foreignTableGranted,
  materializedViewGranted,
  viewNotSecurityInvoker,
} from './rules/views.ts'

/** Every rule, the gravest first. All mends of one run can be run in this order. */
export const rules: readonly (Rule | QueriedRule)[] = [
  tableWithoutRowLevelSecurity,
  tableWithoutPolicy,
  rowLevelSecurityNotForced,
  ownedByRoleOfRequests,
  schemaOpenToRoleOfRequests,
  triggerGranted,
  grantedToPublic,
  grantPastPolicies,
  selectListsColumns,
  insertOnWholeTable,
  updateOnWholeTable,
  foreignTableGranted,
  materializedViewGranted,
  viewNotSecurityInvoker,
  ...policyRules,
  policyHelperPlannedAtEachCall,
  policyColumnWithoutIndex,
  executableByPublic,
  hookExecutableByOthers,
  securityDefinerWithoutSearchPath,
  searchPathWithoutPgTempLast,
  functionLeakproof,
  stableThatWrites,
  immutableThatReads,
  volatileThatOnlyReads,
  plpgsqlThatCouldBeSql,
  foreignKeyWithoutOnDelete,
  foreignKeyWithoutIndex,
  indexInvalid,
  indexDuplicate,
  indexUnused,
  indexBeginsAnother,
  columnOfRegType,
  sequenceNearItsEnd,
  severalPermissivePolicies,
  tableWithoutPrimaryKey,
  permissionInComment,
  withoutComment,
]
