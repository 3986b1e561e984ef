import { faultsOfFunctions } from './faults-of-functions.ts'
import { faultsOfHelpers } from './faults-of-helpers.ts'
import { faultsOfPolicies } from './faults-of-policies.ts'
import { faultsOfTables } from './faults-of-tables.ts'

/** A fault with the SQL that makes it, and nothing else that is wrong. */
export interface PlantedFault {
  rule: string
  object: string
  sql: string
  /** The version of Postgres from which on it is none. */
  below?: number
}

/** One fault for each rule, and more where a rule has more than one side. */
export const plantedFaults: readonly PlantedFault[] = [
  ...faultsOfTables,
  ...faultsOfFunctions,
  ...faultsOfPolicies,
  ...faultsOfHelpers,
]
