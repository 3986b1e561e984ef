import { execute } from 'grafast'
import {
  type ExecutionResult,
  GraphQLError,
  getOperationAST,
  getVariableValues,
  type OperationDefinitionNode,
  OperationTypeNode,
} from 'graphql'
import pg from 'pg'
import type { Allowance } from '../../../ground/database/lend.ts'
import type { SessionCredential } from '../../../ground/database/request-transaction.ts'
import type { TakeShare } from '../../../ground/database/share.ts'
import { withSession } from '../../../ground/database/with-session.ts'
import { Refusal } from '../../../ground/errors.ts'
import type { Ground } from '../../../ground/ground.ts'
import { abandoned, changeIn, readAs, type WithPgClient } from '../schema/adaptor.ts'
import type { BuiltSchema } from '../schema/build-schema.ts'
import type { GraphqlSettings } from '../settings.ts'
import { checkVariables } from './check-variables.ts'
import { causeOf, type DescribedError, describeError } from './describe-error.ts'
import { type Measure, measureOperation } from './measure-operation.ts'
import type { ReadDocument } from './read-document.ts'
import { refuseDocument } from './refuse-document.ts'
import { refuseSize, writeJson } from './write-json.ts'

export interface Operation {
  read: ReadDocument
  variables: Readonly<Record<string, unknown>>
  name: string | null
}

/** Whoever asks, as the cost of it goes. */
export interface Asker {
  /** Counts what an operation costs. @throws Refusal `too_many_requests` */
  spend(cost: number): void
  /** Counts what some work takes of the event loop. */
  during<T>(work: () => T): T
  /** @throws Refusal `too_many_requests` where that is too much already */
  refuseOver(): void
  /** Of the connections to Postgres. */
  takeShare: TakeShare
}

/** What is answered: `data` is JSON already; null where there is none. */
export interface Outcome {
  data: string | null
  errors: DescribedError[]
  /** Whether something may have been changed, and was kept. */
  hasChanged: boolean
}

type Needs = Pick<Ground, 'requests' | 'log'> & {
  built: BuiltSchema
  asker: Asker
  limits: Pick<GraphqlSettings, 'maxDepth' | 'maxCost' | 'maxAnswerSize' | 'showsItself'>
}

/**
 * Runs one operation as the session's user. A query's statements are request transactions of their own; a
 * mutation is one transaction, of which all is kept or nothing.
 *
 * @throws Refusal for the operation as a whole: it is refused before anything has run, or Postgres refuses
 *   the session or cannot answer
 */
export async function runOperation(
  needs: Needs,
  credential: SessionCredential,
  operation: Operation,
): Promise<Outcome> {
  const type = needs.asker.during(() => checkOperation(needs, operation))
  if (type === OperationTypeNode.QUERY) {
    const requests = needs.requests.within(allowanceOf(needs))
    const result = await run(needs, operation, readAs(requests, credential))
    return { ...describe(needs, result), hasChanged: false }
  }
  return change(needs, credential, operation)
}

/** What Postgres may send for all of an operation. */
const allowanceOf = ({ asker, limits: { maxAnswerSize } }: Needs): Allowance => ({
  takeShare: asker.takeShare,
  bytesLeft: maxAnswerSize,
  refuse: () => refuseSize(maxAnswerSize),
})

/** Thrown to have undone what was done: its outcome is answered. */
class Undone extends Error {
  readonly errors: DescribedError[]
  constructor(errors: DescribedError[]) {
    super('a field has failed')
    this.errors = errors
  }
}

async function change(
  needs: Needs,
  credential: SessionCredential,
  operation: Operation,
): Promise<Outcome> {
  try {
    const requests = needs.requests.within(allowanceOf(needs))
    return await withSession(requests, credential, async (transaction) => {
      const result = await run(needs, operation, changeIn(transaction))
      const { data, errors } = describe(needs, result)
      // All or nothing: what has worked beside it is undone too.
      if (errors.length > 0) throw new Undone(errors)
      return { data, errors, hasChanged: true }
    })
  } catch (error) {
    if (error instanceof Undone) return { data: null, errors: error.errors, hasChanged: false }
    // A constraint that is checked only at the end.
    if (!(error instanceof pg.DatabaseError)) throw error
    const described = describeError(new GraphQLError('', { originalError: error }), needs.log)
    return { data: null, errors: [described], hasChanged: false }
  }
}

/** @throws Refusal `graphql_invalid`, `graphql_too_complex`, `too_many_requests` */
function checkOperation(
  { built, limits, asker }: Needs,
  { read, variables, name }: Operation,
): OperationTypeNode {
  const operation = getOperationAST(read.document, name)
  if (operation == null || operation.operation === OperationTypeNode.SUBSCRIPTION) {
    const message = 'names no query and no mutation of the document'
    throw new Refusal('graphql_invalid', { faults: [{ path: '/operationName', message }] })
  }
  const { depth, cost } = measure({ built, limits }, operation, read, variables)
  if (depth > limits.maxDepth)
    throw new Refusal('graphql_too_complex', {
      detail: `Fields may stand ${limits.maxDepth} deep in each other; here it is ${depth}.`,
    })
  if (cost > limits.maxCost)
    throw new Refusal('graphql_too_complex', {
      detail: `An operation may be answered with ${limits.maxCost} fields at most; here it could be ${cost}. Ask for smaller pages: first.`,
    })
  asker.spend(cost)
  return operation.operation
}

/** @throws Refusal `graphql_invalid` where the variables do not fit, `graphql_too_complex` */
function measure(
  { built, limits }: Pick<Needs, 'built' | 'limits'>,
  operation: OperationDefinitionNode,
  { fragments }: ReadDocument,
  given: Readonly<Record<string, unknown>>,
): Measure {
  const { schema } = built
  checkVariables(given)
  try {
    const options = { maxErrors: 20 }
    const { coerced, errors } = getVariableValues(
      schema,
      operation.variableDefinitions ?? [],
      given,
      options,
    )
    if (errors !== undefined)
      throw refuseDocument(
        limits.showsItself ? errors : errors.map(withoutSuggestion),
        '/variables',
      )
    return measureOperation(operation, { schema, fragments, variables: coerced })
  } catch (error) {
    // Of what stands in the document and only fits once the variables are known.
    if (error instanceof GraphQLError) throw refuseDocument([error])
    // Nested so deeply that there is no stack left.
    if (error instanceof RangeError) throw new Refusal('graphql_too_complex', { cause: error })
    throw error
  }
}

async function run(
  { built, asker }: Needs,
  { read, variables, name }: Operation,
  withPgClient: WithPgClient,
): Promise<ExecutionResult> {
  asker.refuseOver()
  // Until it first waits: planned it is by then.
  const running = asker.during(() =>
    execute({
      schema: built.schema,
      document: read.document,
      variableValues: variables,
      operationName: name,
      contextValue: { withPgClient },
      resolvedPreset: built.preset,
      // Around every step otherwise, though no plugin here has any.
      middleware: null,
    }),
  )
  const result = await running
  if (Symbol.asyncIterator in result) throw new Error('GraphQL answered with a stream')
  return result
}

/** @throws Refusal where an error is of the whole operation */
function describe(
  { log, limits, asker }: Needs,
  { data, errors = [] }: ExecutionResult,
): Pick<Outcome, 'data' | 'errors'> {
  const mostBytes = limits.maxAnswerSize
  const causes = errors.map(causeOf)
  for (const cause of causes) if (cause instanceof Refusal) throw cause
  // Nothing was run: the variables do not fit.
  if (data === undefined && causes.every((cause) => cause instanceof GraphQLError))
    throw refuseDocument(limits.showsItself ? errors : errors.map(withoutSuggestion), '/variables')
  return asker.during(() => {
    const described = errors
      .filter((_, index) => causes[index] !== abandoned)
      .map((error) => describeError(error, log))
    // As many as there are rows, where a field of each has failed.
    const told = described.length === 0 ? '' : writeJson(described, mostBytes, mostBytes)
    const left = mostBytes - Buffer.byteLength(told)
    return { data: data == null ? null : writeJson(data, left, mostBytes), errors: described }
  })
}

/** Variables are checked by code that knows of no way to keep its suggestions to itself. */
const withoutSuggestion = ({ message, nodes }: GraphQLError): GraphQLError =>
  new GraphQLError(message.replace(/ Did you mean .*$/s, ''), nodes === undefined ? {} : { nodes })
