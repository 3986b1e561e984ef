import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { SessionKind } from '../../server/src/features/sessions/session.ts'
import type { SessionIdentity } from '../../server/src/features/sessions/start-session.ts'

/** A user with one address, one password, one session of tokens and one of a browser. */
export interface Account {
  userId: string
  email: string
  sessionId: string
  browserSessionId: string
}

/**
 * Makes users as registration and sign-in would have left them, and the floor's own copy of their
 * sessions. As the owner, and with one password hash for all: hashing for each would take minutes.
 */
export async function seed(
  owner: pg.Client,
  users: number,
  passwordHash: string,
  newSession: (kind: SessionKind) => SessionIdentity,
): Promise<Account[]> {
  const given = Array.from({ length: users }, (_, index) => ({
    userId: randomUUID(),
    email: `person-${index}@example.com`,
    session: newSession('token'),
    browserSession: newSession('browser'),
  }))
  const userIds = given.map(({ userId }) => userId)
  await owner.query('begin')
  await owner.query(
    `insert into pie_schema.users (id, name)
     select id, 'Person ' || place from unnest($1::uuid[]) with ordinality as given (id, place)`,
    [userIds],
  )
  await owner.query(
    `insert into pie_schema.user_emails (user_id, email, is_primary)
     select user_id, email, true from unnest($1::uuid[], $2::text[]) as given (user_id, email)`,
    [userIds, given.map(({ email }) => email)],
  )
  await owner.query(
    `insert into pie_schema.user_roles (user_id, role) select unnest($1::uuid[]), 'viewer'`,
    [userIds],
  )
  await owner.query(
    'insert into pie_private.passwords (user_id, hash) select unnest($1::uuid[]), $2',
    [userIds, passwordHash],
  )
  const tokenSessions = given.map(({ userId, session }) => ({ userId, session }))
  const browserSessions = given.map(({ userId, browserSession }) => ({
    userId,
    session: browserSession,
  }))
  await seedSessions(owner, [...tokenSessions, ...browserSessions])
  // The same columns, indexes and room for updates in place; no trigger, no policy.
  await owner.query('create schema bench_floor')
  await owner.query(
    'create table bench_floor.sessions (like pie_private.sessions including all) with (fillfactor = 80)',
  )
  await owner.query('insert into bench_floor.sessions select * from pie_private.sessions')
  await owner.query('commit')
  // What would otherwise begin by itself in the middle of a round.
  await owner.query('vacuum analyze')
  await owner.query('checkpoint')
  return given.map(({ userId, email, session, browserSession }) => ({
    userId,
    email,
    sessionId: session.id,
    browserSessionId: browserSession.id,
  }))
}

/** Starts sessions as signing in would. */
export async function seedSessions(
  owner: pg.Client,
  started: { userId: string; session: SessionIdentity }[],
): Promise<void> {
  await owner.query(
    `insert into pie_private.sessions
       (id, user_id, kind, proof_hash, methods, expires_at, absolute_expires_at, address, user_agent)
     select id, user_id, kind, proof_hash, '{pwd}', now() + interval '7 days',
       now() + interval '90 days', '127.0.0.1', 'bench'
     from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[]) as given (id, user_id, kind, proof_hash)`,
    [
      started.map(({ session }) => session.id),
      started.map(({ userId }) => userId),
      started.map(({ session }) => session.kind),
      started.map(({ session }) => session.proofHash),
    ],
  )
}
