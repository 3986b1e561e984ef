import type { Rule } from './rule.ts'
import { permissionInComment, withoutComment } from './rules/comments.ts'
import { grantedByDefault } from './rules/default-privileges.ts'
import {
  functionOutsideDatabase,
  securityDefinerAsksCurrentUser,
  securityDefinerAsksNobody,
} from './rules/definers.ts'
import { executesItsArgument } from './rules/dynamic-sql.ts'
import {
  extensionFunctionOpen,
  extensionInPublic,
  extensionOutdated,
  queueGranted,
} from './rules/extensions.ts'
import { foreignKeyWithoutIndex, foreignKeyWithoutOnDelete } from './rules/foreign-keys.ts'
import { everybodyMapped, foreignServerGranted } from './rules/foreign-servers.ts'
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
import {
  grantedWithGrantOption,
  grantInSchemaWithoutUsage,
  grantOnGeneratedColumn,
  grantToLoginRole,
  grantToNobody,
} from './rules/idle-grants.ts'
import { indexBeginsAnother, indexDuplicate, indexInvalid, indexUnused } from './rules/indexes.ts'
import { readThroughParent } from './rules/inheritance.ts'
import {
  changeWithoutSelect,
  insertThatCannotSucceed,
  insertWithoutSequence,
} from './rules/missing-grants.ts'
import {
  ownedByRoleOfRequests,
  schemaOpenToRoleOfRequests,
  triggerGranted,
} from './rules/ownership.ts'
import { policyColumnWithoutIndex } from './rules/policy-columns.ts'
import { policyHelperPlannedAtEachCall } from './rules/policy-helpers.ts'
import { policyRules } from './rules/policy-rules.ts'
import {
  grantedInPgCatalog,
  largeObjectGranted,
  largeObjectsForEverybody,
} from './rules/postgres-own.ts'
import { publicationPastPolicies } from './rules/publications.ts'
import { policyRecursion } from './rules/recursion.ts'
import { policyReadsUngranted, viewReadsUngranted } from './rules/refused-reads.ts'
import {
  requestRoleAbovePolicies,
  requestRoleMayPassOn,
  requestRoleOfServer,
} from './rules/request-roles.ts'
import { ruleActsAsOwner } from './rules/rewrite-rules.ts'
import { parameterGranted, settingOpens } from './rules/role-settings.ts'
import {
  rowLevelSecurityNotForced,
  tableWithoutPolicy,
  tableWithoutRowLevelSecurity,
} from './rules/row-level-security.ts'
import { sensitiveColumnReadable } from './rules/secrets.ts'
import { sequenceCanBeSet, sequenceTellsCount } from './rules/sequences.ts'
import { policySettingMayBeEmpty } from './rules/settings.ts'
import { foreignKeyTellsOfHiddenRows, keyTellsOfHiddenRows } from './rules/side-channels.ts'
import { grantWithoutPolicy, policyWithoutGrant } from './rules/unmatched-policies.ts'
import {
  columnOfRegType,
  sequenceNearItsEnd,
  severalPermissivePolicies,
  tableWithoutPrimaryKey,
} from './rules/upkeep.ts'
import {
  foreignTableGranted,
  materializedViewGranted,
  viewFiltersWithoutBarrier,
  viewNotSecurityInvoker,
  viewWrittenPastItsFilter,
} from './rules/views.ts'

/** Every rule, the gravest first. All mends of one run can be run in this order. */
export const rules: readonly Rule[] = [
  tableWithoutRowLevelSecurity,
  tableWithoutPolicy,
  rowLevelSecurityNotForced,
  ownedByRoleOfRequests,
  schemaOpenToRoleOfRequests,
  triggerGranted,
  requestRoleAbovePolicies,
  requestRoleOfServer,
  requestRoleMayPassOn,
  settingOpens,
  parameterGranted,
  grantedToPublic,
  grantedWithGrantOption,
  grantToLoginRole,
  grantPastPolicies,
  selectListsColumns,
  insertOnWholeTable,
  updateOnWholeTable,
  grantOnGeneratedColumn,
  grantToNobody,
  foreignTableGranted,
  materializedViewGranted,
  viewNotSecurityInvoker,
  viewFiltersWithoutBarrier,
  viewWrittenPastItsFilter,
  ruleActsAsOwner,
  readThroughParent,
  sequenceCanBeSet,
  sequenceTellsCount,
  publicationPastPolicies,
  foreignServerGranted,
  everybodyMapped,
  largeObjectGranted,
  largeObjectsForEverybody,
  grantedInPgCatalog,
  grantedByDefault,
  ...policyRules,
  policyHelperPlannedAtEachCall,
  policyColumnWithoutIndex,
  executesItsArgument,
  securityDefinerAsksNobody,
  securityDefinerAsksCurrentUser,
  functionOutsideDatabase,
  extensionFunctionOpen,
  queueGranted,
  extensionInPublic,
  extensionOutdated,
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
  sensitiveColumnReadable,
  keyTellsOfHiddenRows,
  foreignKeyTellsOfHiddenRows,
  policyRecursion,
  policyReadsUngranted,
  policySettingMayBeEmpty,
  changeWithoutSelect,
  insertThatCannotSucceed,
  insertWithoutSequence,
  viewReadsUngranted,
  grantInSchemaWithoutUsage,
  grantWithoutPolicy,
  policyWithoutGrant,
  permissionInComment,
  withoutComment,
]
