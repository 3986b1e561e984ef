import { faultsOfAsking } from './faults-of-asking.ts'
import { faultsOfCost } from './faults-of-cost.ts'
import {
  faultsAround,
  faultsBySuperuser,
  faultsOfDefaultPrivileges,
  faultsOfDefiners,
  faultsOfDefinersInOtherWords,
  faultsOfInheritance,
  faultsOfRewriteRules,
  faultsOfRoles,
  faultsOfSequences,
  faultsOutside,
} from './faults-of-detours.ts'
import { faultsOfFailures } from './faults-of-failures.ts'
import { faultsOfForeignKeys } from './faults-of-foreign-keys.ts'
import { faultsOfFunctionBodies } from './faults-of-function-bodies.ts'
import { faultsOfFunctions } from './faults-of-functions.ts'
import { faultsOfGrants } from './faults-of-grants.ts'
import { faultsOfHelpers } from './faults-of-helpers.ts'
import { faultsOfIdentity } from './faults-of-identity.ts'
import { faultsOfLeaks } from './faults-of-leaks.ts'
import { faultsOfPolicies } from './faults-of-policies.ts'
import { faultsOfPolicyColumns } from './faults-of-policy-columns.ts'
import { faultsOfRowSecurity } from './faults-of-row-security.ts'
import { faultsOfSubSelects } from './faults-of-sub-selects.ts'
import { faultsOfViews } from './faults-of-views.ts'
import type { PlantedFault } from './planted-fault.ts'

/**
 * At least one fault for each rule, and more where a rule has more than one side: family by family, each in schemas of
 * its own, which `lint.test.ts` makes.
 */
export const plantedFaults: Readonly<Record<string, readonly PlantedFault[]>> = {
  'row security': faultsOfRowSecurity,
  grants: faultsOfGrants,
  failures: faultsOfFailures,
  leaks: faultsOfLeaks,
  views: faultsOfViews,
  'rewrite rules': faultsOfRewriteRules,
  'numbers of rows': faultsOfSequences,
  inheritance: faultsOfInheritance,
  'default privileges': faultsOfDefaultPrivileges,
  definers: faultsOfDefiners,
  'definers in other words': faultsOfDefinersInOtherWords,
  'functions outside': faultsOutside,
  'what lies around': faultsAround,
  'what a superuser opened': faultsBySuperuser,
  roles: faultsOfRoles,
  policies: faultsOfPolicies,
  asking: faultsOfAsking,
  identity: faultsOfIdentity,
  'sub selects': faultsOfSubSelects,
  'policy columns': faultsOfPolicyColumns,
  functions: faultsOfFunctions,
  'function bodies': faultsOfFunctionBodies,
  helpers: faultsOfHelpers,
  'foreign keys': faultsOfForeignKeys,
  cost: faultsOfCost,
}
