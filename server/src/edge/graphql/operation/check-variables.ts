import { Refusal } from '../../../ground/errors.ts'

/** How many lists and objects of a variable's value may stand inside each other: Postgres has a stack, too. */
const MOST_NESTED = 100

/**
 * Checks what has been sent, before anything is made of it that calls itself for each level.
 * @throws Refusal `graphql_too_complex`
 */
export function checkVariables(variables: Readonly<Record<string, unknown>>): void {
  let level: unknown[] = Object.values(variables)
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MOST_NESTED)
      throw new Refusal('graphql_too_complex', {
        detail: `Variables may be nested ${MOST_NESTED} deep at most.`,
      })
    level = level.flatMap((value) =>
      typeof value === 'object' && value !== null ? Object.values(value) : [],
    )
  }
}
