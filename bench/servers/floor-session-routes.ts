import { createClient } from '@redis/client'
import type { FastifyInstance } from 'fastify'
import type pg from 'pg'

const text = { type: 'string' }
const texts = { type: 'array', items: text }

const session = {
  type: 'object',
  properties: {
    id: text,
    kind: text,
    created_at: text,
    last_seen_at: text,
    expires_at: text,
    assurance_level: { type: 'integer' },
    methods: texts,
  },
}
export const user = {
  type: 'object',
  properties: {
    id: text,
    email: text,
    email_verified: { type: 'boolean' },
    name: text,
    roles: texts,
    permissions: texts,
    created_at: text,
    updated_at: text,
  },
}
const problem = {
  type: 'object',
  properties: { type: text, title: text, status: { type: 'integer' }, code: text },
}
const response = { 200: { type: 'object', properties: { session, user } }, 401: problem }

/** No work at all: answers what it has been given, an object that its schema serialises. */
export function bareRoute(app: FastifyInstance): void {
  let given: { status: 200 | 401; body: unknown } = { status: 200, body: {} }
  app.put<{ Body: typeof given }>('/bare', async (request) => {
    given = request.body
    return { status: 'ok' }
  })
  app.get('/bare', { schema: { response } }, async (_request, reply) =>
    reply.code(given.status).send(given.body),
  )
}

/** One prepared select by primary key. */
export function readSessionRoute(app: FastifyInstance, pool: pg.Pool): void {
  const statement = {
    name: 'read_session',
    text: 'select session, "user" from bench_floor.described_sessions where id = $1',
  }
  app.get<{ Params: { id: string } }>(
    '/described-sessions/:id',
    { schema: { response } },
    async (request) => {
      const { rows } = await pool.query({ ...statement, values: [request.params.id] })
      return rows[0]
    },
  )
}

/** One GET of Valkey's. The text that it brings is the answer; it is not even read. */
export async function sharedRoute(app: FastifyInstance, cacheUrl: string): Promise<void> {
  const client = createClient({ url: cacheUrl })
  client.on('error', (error) => app.log.error(error))
  await client.connect()
  app.addHook('onClose', () => client.destroy())
  app.get<{ Params: { id: string } }>('/shared/:id', async (request, reply) => {
    const value = await client.get(`bench:${request.params.id}`)
    return reply.type('application/json; charset=utf-8').send(value?.trimEnd())
  })
}
