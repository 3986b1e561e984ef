/** A client of /graphql: it checks its own documents before it sends them, with the library that clients use. */
import assert from 'node:assert/strict'
import { type Answer, assertProblem, type TestPie } from './pie.ts'

export interface GraphqlOptions {
  variables?: Record<string, unknown>
  headers?: Record<string, string>
  token?: string
  operationName?: string
}

/** Sends a document as somebody, and returns whatever is answered. */
export const askGraphql = (
  { request }: Pick<TestPie, 'request'>,
  { token, headers = {}, ...rest }: GraphqlOptions,
  query: string,
): Promise<Answer> =>
  request('/graphql', {
    body: { query, ...rest },
    headers,
    ...(token !== undefined && { token }),
  })

/** Sends a document as somebody, and returns its data. */
export async function graphqlData(
  pie: Pick<TestPie, 'request'>,
  options: GraphqlOptions,
  query: string,
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects to be there
): Promise<any> {
  const { status, body } = await askGraphql(pie, options, query)
  assert.equal(status, 200, JSON.stringify(body))
  assert.equal(body.errors, undefined, JSON.stringify(body.errors))
  return body.data
}

/** Asserts that a document was refused before anything ran. */
export function assertRefusedDocument(answer: Answer, code: string, saying: RegExp): void {
  assertProblem(answer, 400, code)
  assert.equal(answer.body.data, undefined)
  assert.match(JSON.stringify([answer.body.detail, answer.body.errors]), saying)
}
