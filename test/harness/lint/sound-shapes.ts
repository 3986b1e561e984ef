import { soundApplication } from './sound-application.ts'
import { soundBodies, soundCost } from './sound-cost.ts'
import { soundDetours } from './sound-detours.ts'
import { soundFailures } from './sound-failures.ts'
import { soundPolicies } from './sound-policies.ts'

/** SQL that makes what no rule minds, each in a schema of its own that it makes itself (`schemaAlone`). */
export const soundShapes: Readonly<Record<string, string>> = {
  application: soundApplication,
  cost: soundCost,
  bodies: soundBodies,
  failures: soundFailures,
  detours: soundDetours,
  'set of policies': soundPolicies,
}
