/**
 * examples/notes with holes, which it has nowhere but here: whatever ada writes runs as SQL, through each of
 * the doors that applications have. Grace and dorothy, an admin, have notes with a canary in them, and their
 * sessions are in use while ada attacks.
 */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { sql as drizzleSql } from 'drizzle-orm'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { sql as kyselySql } from 'kysely'
import pg from 'pg'
import { proofOf, testKeys } from '../../database/test/people.ts'
import {
  openNotes,
  type TestNotes,
  type TestNotesOptions,
  type User,
} from '../../examples/notes/test/open-notes.ts'
import { drizzleOn } from '../../server/src/edge/query-builders/drizzle.ts'
import { kyselyOn } from '../../server/src/edge/query-builders/kysely.ts'
import type { SessionTransaction } from '../../server/src/ground/database/with-session.ts'

/** Of this process alone: `pg_stat_activity` shows what other test files are at. */
const mark = randomBytes(4).toString('hex')
export const canary = `canary-${mark}`

/** How the application's own code takes text for SQL. */
const libraries: Record<string, (tx: SessionTransaction, text: string) => Promise<unknown>> = {
  query: (tx, text) => tx.query(text),
  // Prepared once for the connection, whoever has it next.
  named: (tx, text) =>
    tx.query({ name: createHash('sha256').update(text).digest('hex').slice(0, 32), text }),
  kysely: (tx, text) => kyselySql.raw(text).execute(kyselyOn(tx)),
  drizzle: (tx, text) => drizzleOn(tx).execute(drizzleSql.raw(text)),
}

/**
 * `pool` is a pool of the application's own, on which it says the two statements that other languages say,
 * and then whatever there is in one message, where a semicolon begins another statement.
 */
export const doors = ['query', 'kysely', 'drizzle', 'pool']

export interface InjectableNotes extends TestNotes {
  ada: User
  grace: User
  dorothy: User
  /** Runs statements as a user through a door, one after another, whatever becomes of them. */
  run(user: User, door: string, ...statements: string[]): Promise<unknown[]>
  /** What a user finds with a search whose text is pasted between two quotes. */
  search(user: User, door: string, text: string): Promise<string>
  /** Everything that ada may never see. */
  secrets: string[]
}

export async function openInjectableNotes(
  options: Pick<TestNotesOptions, 'settings' | 'prepare'> = {},
): Promise<InjectableNotes> {
  let pool: pg.Pool | undefined
  let databaseUrl = ''
  const notes = await openNotes({
    settings: { DATABASE_CONNECTIONS: '4', ...options.settings },
    prepare: async (owner, name) => {
      databaseUrl = `${owner.host}:${owner.port}/${name}`
      await options.prepare?.(owner, name)
    },
    extend: (app) => {
      const password = testKeys.requestRolePassword.revealText()
      pool = new pg.Pool({
        connectionString: `postgres://cream:${password}@${databaseUrl}`,
        max: 2,
      })
      pool.on('error', () => {})
      addHoles(app, pool)
    },
  })
  const ada = await notes.signUp('ada')
  const grace = await notes.signUp(`grace-${mark}`)
  const dorothy = await notes.signUpAdmin(`dorothy-${mark}`)
  await ada.write('Of ada')
  for (const [user, other] of [
    [grace, dorothy],
    [dorothy, grace],
  ] as const) {
    const shares = [{ user_id: other.id, access: 'write' }]
    await user.write(`${canary} title`, { body: `${canary} body`, shares })
  }
  return {
    ...notes,
    ada,
    grace,
    dorothy,
    secrets: [canary, ...(await secretsOf(notes.owner, [grace, dorothy]))],
    run: async (user, door, ...statements) => {
      const { status, body } = await user.ask(`/run/${door}`, { body: { statements } })
      assert.equal(status, 200, JSON.stringify(body))
      return body
    },
    search: async (user, door, text) => {
      const { body } = await user.ask(`/search/${door}?text=${encodeURIComponent(text)}`)
      return JSON.stringify(body)
    },
    close: async () => {
      await pool?.end()
      await notes.close()
    },
  }
}

async function secretsOf(owner: pg.Client, users: User[]): Promise<string[]> {
  const { rows } = await owner.query(
    `select id, encode(proof_hash, 'hex') as hash from pie_private.sessions where user_id = any ($1)`,
    [users.map(({ id }) => id)],
  )
  return [
    ...users.flatMap(({ id, email }) => [id, email]),
    ...rows.flatMap(({ id, hash }) => [id, hash, proofOf(id).toString('hex')]),
    '$argon2id$',
    'SCRAM-SHA-256$',
  ]
}

function addHoles(app: FastifyInstance, pool: pg.Pool): void {
  void app.register(async (holes) => {
    // An application that tells everything of its errors: whatever they carry, ada reads.
    holes.setErrorHandler((error, _request, reply) => reply.code(200).send([describe(error)]))
    holes.get<{ Params: { door: string }; Querystring: { text: string } }>(
      '/search/:door',
      async (request) => {
        const { text } = request.query
        return runAll(request, pool, [`select id, title from notes.notes where title = '${text}'`])
      },
    )
    holes.post<{ Params: { door: string }; Body: { statements: string[] } }>(
      '/run/:door',
      async (request) => runAll(request, pool, request.body.statements),
    )
  })
}

async function runAll(
  request: FastifyRequest<{ Params: { door: string } }>,
  pool: pg.Pool,
  statements: string[],
): Promise<unknown[]> {
  const answers: unknown[] = []
  const note = (work: Promise<unknown>) =>
    work
      .then((result) => answers.push(rowsOf(result)))
      .catch((error) => answers.push(describe(error)))
  const library = libraries[request.params.door]
  if (library !== undefined) {
    await note(
      request.pie.transaction(async (tx) => {
        for (const statement of statements) {
          // So that she may go on after an error.
          await tx.query('savepoint going_on').catch(() => {})
          await note(
            library(tx, statement).catch(async (error) => {
              await tx.query('rollback to going_on').catch(() => {})
              throw error
            }),
          )
        }
        return []
      }),
    )
    return answers
  }
  const { sessionId, proofs } = await request.pie.credential()
  const client = await pool.connect()
  await note(client.query('reset role; reset all; begin'))
  await note(client.query('select pie_private.authenticate($1, $2)', [sessionId, proofs[0]]))
  await note(client.query(statements.join('; ')))
  await note(client.query('commit'))
  client.release()
  return answers
}

const rowsOf = (result: unknown) =>
  [result].flat().map((each) => (each as Partial<pg.QueryResult> | undefined)?.rows ?? [])

/** All of an error that there is, and of those that it comes from. */
function describe(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  return { ...error, message: error.message, cause: describe(error.cause) }
}
