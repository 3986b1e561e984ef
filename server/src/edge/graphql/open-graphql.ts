import type { SessionCredential } from '../../ground/database/request-transaction.ts'
import type { Ground } from '../../ground/ground.ts'
import type { BuiltSchema } from './build-schema.ts'
import type { DatabaseRole } from './preset.ts'
import { createDocumentReader, type ReadDocuments } from './read-document.ts'
import { createRoleSchemas } from './role-schemas.ts'
import { type Asker, type Outcome, runOperation } from './run-operation.ts'
import type { GraphqlSettings } from './settings.ts'

export interface GraphqlRequest {
  query: string
  variables: Readonly<Record<string, unknown>>
  operationName: string | null
}

/** Answers a request as the user of a session, with what the database role may touch. */
export type AnswerGraphql = (
  role: DatabaseRole,
  credential: SessionCredential,
  asker: Asker,
  request: GraphqlRequest,
) => Promise<Outcome>

/** Everything of GraphQL that is large: loaded when somebody first asks for it. */
export function openGraphql(
  ground: Pick<Ground, 'requests' | 'log'>,
  settings: GraphqlSettings,
): AnswerGraphql {
  const getSchema = createRoleSchemas(ground.requests, settings)
  const readers = new WeakMap<BuiltSchema, ReadDocuments>()
  const readerOf = (built: BuiltSchema): ReadDocuments => {
    const reader = readers.get(built) ?? createDocumentReader(built, settings.showsItself)
    readers.set(built, reader)
    return reader
  }
  return async (role, credential, asker, { query, variables, operationName }) => {
    const built = await getSchema(role)
    const read = readerOf(built)(query)
    const needs = { ...ground, built, asker, limits: settings }
    return runOperation(needs, credential, { read, variables, name: operationName })
  }
}
