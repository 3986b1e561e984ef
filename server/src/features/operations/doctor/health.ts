import type { Finding } from './finding.ts'

/** What a node last found when it looked at its database. */
export interface Health {
  checkedAt(): Date
  findings(): readonly Finding[]
}
