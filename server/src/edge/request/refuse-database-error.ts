import pg from 'pg'
import { Refusal, type RefusalCode } from '../../ground/errors.ts'
import { readRaised } from './read-raised.ts'

/**
 * What the errors of Postgres mean to whoever sent the request, by SQLSTATE or its class (PostgreSQL manual,
 * appendix A). Which row, constraint or value it was stays inside: it may be somebody else's.
 */
const refusalBySqlState: Record<string, RefusalCode> = {
  '42501': 'forbidden', // insufficient privilege, and what a policy refuses to write
  '23505': 'conflict', // unique violation
  '23503': 'conflict', // foreign key violation
  '23P01': 'conflict', // exclusion violation
  '23502': 'invalid_request', // not null violation
  '23514': 'invalid_request', // check violation
  '22': 'invalid_request', // data exceptions: too long, out of range, not of the type
  '40': 'busy', // serialization failures and deadlocks
  '55P03': 'busy', // lock not available
  AP: 'refused_by_application', // what an application raises for its clients
  // What it raises without saying for whom: that it refuses, and none of its words. Functions of Pie's raise no such.
  P0001: 'refused_by_application',
}

/** Undefined for what nobody could have foreseen. */
export function codeOfDatabaseError({ code = '' }: pg.DatabaseError): RefusalCode | undefined {
  return refusalBySqlState[code] ?? refusalBySqlState[code.slice(0, 2)]
}

/** The same as a refusal; null for what nobody could have foreseen, and for what is no error of Postgres. */
export function refuseDatabaseError(error: unknown): Refusal | null {
  if (!(error instanceof pg.DatabaseError)) return null
  const code = codeOfDatabaseError(error)
  if (code === undefined) return null
  const raised = readRaised(error)
  return new Refusal(code, { ...(raised !== null && { raised }), cause: error })
}
