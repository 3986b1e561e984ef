import { faultsOfFunctions } from './faults-of-functions.ts'
import { faultsOfPolicies } from './faults-of-policies.ts'
import { faultsOfTables } from './faults-of-tables.ts'

/** A fault with the SQL that makes it, and nothing else that is wrong. */
export interface PlantedFault {
  rule: string
  object: string
  sql: string
}

/** One fault for each rule, and more where a rule has more than one side. */
export const plantedFaults: readonly PlantedFault[] = [
  ...faultsOfTables,
  ...faultsOfFunctions,
  ...faultsOfPolicies,
]
