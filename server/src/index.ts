/** What other programs import from `@pie/server`. It stays as it is. */
export { problemHandler } from './edge/http/problem-handler.ts'
export type { RequestPie } from './edge/request/request-pie.ts'
export { createCredentials } from './features/sessions/create-credentials.ts'
export { queryWithSession } from './ground/database/query-with-session.ts'
export type { SessionCredential } from './ground/database/request-transaction.ts'
export { type SessionTransaction, withSession } from './ground/database/with-session.ts'
export { OperatorError, Refusal, type RefusalCode } from './ground/errors.ts'
export { type PieOptions, pie } from './plugin.ts'
