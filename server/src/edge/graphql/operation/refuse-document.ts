import type { GraphQLError } from 'graphql'
import { Refusal } from '../../../ground/errors.ts'

const MOST_FAULTS = 20

/** What is wrong with a document or its variables: where, and why. */
export function refuseDocument(
  errors: readonly GraphQLError[],
  path: '/query' | '/variables' = '/query',
): Refusal {
  const faults = errors.slice(0, MOST_FAULTS).map(({ message, locations }) => {
    const [place] = locations ?? []
    const where = place === undefined ? '' : ` (line ${place.line}, column ${place.column})`
    return {
      path,
      message: `${message}${where}`,
    }
  })
  return new Refusal('graphql_invalid', { faults })
}
