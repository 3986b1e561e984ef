import type { SessionCredential } from '../../ground/database/request-transaction.ts'
import { Refusal } from '../../ground/errors.ts'
import type { Ground } from '../../ground/ground.ts'
import { createDocumentReader, type ReadDocuments } from './operation/read-document.ts'
import { type Asker, type Outcome, runOperation } from './operation/run-operation.ts'
import type { BuiltSchema } from './schema/build-schema.ts'
import { createRoleSchemas } from './schema/role-schemas.ts'
import type { DatabaseRole, GraphqlSettings } from './settings.ts'

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

export interface Graphql {
  answer: AnswerGraphql
  /** Builds the schemas that requests will ask for, and tells what is wrong with them. */
  prepare(): Promise<void>
}

/** Everything of GraphQL that is large: loaded when somebody first asks for it. */
export function openGraphql(
  ground: Pick<Ground, 'requests' | 'log'>,
  settings: GraphqlSettings,
): Graphql {
  const schemas = createRoleSchemas(ground, settings)
  const readers = new WeakMap<BuiltSchema, ReadDocuments>()
  const readerOf = (built: BuiltSchema): ReadDocuments => {
    const reader = readers.get(built) ?? createDocumentReader(built, settings.showsItself)
    readers.set(built, reader)
    return reader
  }
  const answerWith = async (
    built: BuiltSchema,
    credential: SessionCredential,
    asker: Asker,
    { query, variables, operationName }: GraphqlRequest,
  ): Promise<Outcome> => {
    asker.refuseOver()
    const read = asker.during(() => readerOf(built)(query))
    const needs = { ...ground, built, asker, limits: settings }
    return runOperation(needs, credential, { read, variables, name: operationName })
  }
  const answer: AnswerGraphql = async (role, credential, asker, request) => {
    const askedAt = performance.now()
    const built = await schemas.get(role)
    try {
      const outcome = await answerWith(built, credential, asker, request)
      // What the schema has may be there no longer: then Postgres says something that nobody foresaw.
      if (outcome.errors.some(({ extensions }) => extensions.code === 'internal'))
        void schemas.suspectChange()
      return outcome
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'graphql_invalid') throw error
      // What the schema has not may be there meanwhile. Nothing of the document was run.
      await schemas.suspectChange(askedAt)
      const newer = await schemas.get(role)
      if (newer === built) throw error
      return answerWith(newer, credential, asker, request)
    }
  }
  return {
    answer,
    prepare: () => schemas.prepare(),
  }
}
