import type { QueryConfig } from 'pg'

/** What is written so by mistake; Postgres itself sees to the rest, see `withSession`. */
const endsTransaction = /^\s*(begin|start\s+transaction|commit|end|abort|rollback(?!\s+to\b))\b/i

/** In the extended protocol, which takes no second statement behind a semicolon. */
export function toOneStatement(
  query: string | QueryConfig,
  values: unknown[] | undefined,
): QueryConfig {
  const config = typeof query === 'string' ? { text: query } : query
  if (typeof config?.text !== 'string')
    throw new TypeError('A query is a text, or an object with a text.')
  if (endsTransaction.test(config.text))
    throw new Error(
      'This is inside a transaction already, which ends with its work. For a part of it: savepoint.',
    )
  return {
    ...config,
    ...(values !== undefined && { values }),
    queryMode: 'extended',
  } as QueryConfig
}
