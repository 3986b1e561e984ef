/** The application on a database of its own, used through its routes as its users would. */
import assert from 'node:assert/strict'
import type { FastifyInstance } from 'fastify'
import pg from 'pg'
import { cloneDatabase, testSecretKey } from '../../../test/harness/cluster.ts'
import { type Answer, goodPassword, type RequestOptions, send } from '../../../test/harness/pie.ts'
import { createNotes } from '../create-notes.ts'

export interface User {
  id: string
  email: string
  token: string
  ask(path: string, options?: RequestOptions): Promise<Answer>
  /** Writes a note, and returns its id. */
  write(title: string, note?: { body?: string; shares?: unknown[] }): Promise<string>
  titles(path?: string): Promise<string[]>
}

export interface TestNotes {
  app: FastifyInstance
  address: string
  databaseUrl: string
  /** Connected as the owner. */
  owner: pg.Client
  ask(path: string, options?: RequestOptions): Promise<Answer>
  signUp(name: string): Promise<User>
  /** Signs somebody up who is an admin from the start. */
  signUpAdmin(name: string): Promise<User>
  close(): Promise<void>
}

export interface TestNotesOptions {
  settings?: Record<string, string>
  /** Done to the database before the application starts. */
  prepare?: (owner: pg.Client, databaseName: string) => Promise<unknown>
  /** Routes beside the application's own. */
  extend?: (app: FastifyInstance) => void
}

export async function openNotes(options: TestNotesOptions = {}): Promise<TestNotes> {
  const { settings, prepare, extend } = options
  const database = await cloneDatabase()
  const owner = new pg.Client({ connectionString: database.url })
  await owner.connect()
  await prepare?.(owner, new URL(database.url).pathname.slice(1))
  const app = await createNotes({
    logger: false,
    settings: {
      DATABASE_URL: database.url,
      SECRET_KEY: testSecretKey,
      DATABASE_CONNECTIONS: '2',
      LOG_LEVEL: 'silent',
      RATE_LIMIT_SCALE: '1000',
      SERVICE_DOMAIN: 'http://localhost:3000',
      ...settings,
    },
  })
  extend?.(app)
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  const ask = (path: string, request?: RequestOptions) => send(address, path, request)

  const enter = async (path: string, name: string) => {
    const body = {
      email: `${name}@example.com`,
      password: goodPassword,
      ...(path === '/auth/register' && { name }),
    }
    const answer = await ask(path, { body })
    assert.ok(answer.status < 300, JSON.stringify(answer.body))
    return userOf(ask, answer.body)
  }
  return {
    app,
    address,
    databaseUrl: database.url,
    owner,
    ask,
    signUp: (name) => enter('/auth/register', name),
    signUpAdmin: async (name) => {
      await enter('/auth/register', name)
      await owner.query('select pie_private.grant_role($1, $2)', [`${name}@example.com`, 'admin'])
      return enter('/auth/login', name)
    },
    close: async () => {
      await app.close()
      await owner.end()
      await database.drop()
    },
  }
}

function userOf(ask: TestNotes['ask'], { access_token: token, user }: Answer['body']): User {
  const asUser: User['ask'] = (path, options) => ask(path, { token, ...options })
  return {
    id: user.id,
    email: user.email,
    token,
    ask: asUser,
    write: async (title, note = {}) => {
      const { status, body } = await asUser('/notes', { body: { title, ...note } })
      assert.equal(status, 201, JSON.stringify(body))
      return body.id
    },
    titles: async (path = '/notes') => {
      const { body } = await asUser(path)
      return body.notes.map(({ title }: { title: string }) => title)
    },
  }
}
