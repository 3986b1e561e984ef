import { createHmac, createSecretKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { verify } from '@node-rs/argon2'
import type { FastifyInstance } from 'fastify'
import type pg from 'pg'

const text = { type: 'string' }
const answersWith = (properties: Record<string, object>) => ({
  response: { 200: { type: 'object', properties } },
})

/** One prepared select by primary key. */
export function readUserRoute(app: FastifyInstance, pool: pg.Pool): void {
  const statement = {
    name: 'read_user',
    text: 'select id, name, created_at, updated_at from pie_schema.users where id = $1',
  }
  app.get<{ Params: { id: string } }>(
    '/users/:id',
    { schema: answersWith({ id: text, name: text, created_at: text, updated_at: text }) },
    async (request) => {
      const { rows } = await pool.query({ ...statement, values: [request.params.id] })
      return rows[0]
    },
  )
}

/** One update by primary key, durable when it is answered, and two signatures. */
export function refreshSessionRoute(app: FastifyInstance, pool: pg.Pool): void {
  const statement = {
    name: 'refresh_session',
    text: `update bench_floor.sessions
      set refresh_generation = refresh_generation + 1, refreshed_at = now(), last_seen_at = now()
      where id = $1
      returning user_id, refresh_generation, refreshed_at, expires_at`,
  }
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const secret = createSecretKey(randomBytes(32))
  app.post<{ Body: { session_id: string } }>(
    '/refresh',
    {
      schema: {
        body: { type: 'object', required: ['session_id'], properties: { session_id: text } },
        ...answersWith({ access_token: text, refresh_token: text, user_id: text }),
      },
    },
    async (request) => {
      const id = request.body.session_id
      const { rows } = await pool.query({ ...statement, values: [id] })
      const signed = `${id}.${rows[0].user_id}.${rows[0].refresh_generation}`
      // Key objects without options are what node:crypto signs with fastest.
      const signature = sign('sha256', Buffer.from(signed), privateKey)
      const tag = createHmac('sha256', secret).update(signed).digest('base64url')
      return {
        access_token: `${signed}.${signature.toString('base64url')}`,
        refresh_token: `${signed}.${tag}`,
        user_id: rows[0].user_id,
      }
    },
  )
}

/** Raw argon2id, `parallel` at a time for a while, in the threads of libuv. HTTP only asks for it. */
export function verifyPasswordsRoute(app: FastifyInstance): void {
  interface Body {
    hash: string
    password: string
    seconds: number
    parallel: number
  }
  app.post<{ Body: Body }>('/verify-passwords', async (request) => {
    const { hash, password, seconds, parallel } = request.body
    const endMs = performance.now() + seconds * 1000
    let verified = 0
    const work = async () => {
      for (;;) {
        const isRight = await verify(hash, password)
        if (!isRight) throw new Error('the password was not verified')
        if (performance.now() > endMs) return
        verified += 1
      }
    }
    await Promise.all(Array.from({ length: parallel }, work))
    return { verifiedPerSecond: verified / seconds }
  })
}
