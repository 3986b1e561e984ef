import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type pg from 'pg'
import { user } from './floor-session-routes.ts'

const findSession = {
  name: 'find_session',
  text: `select user_id from bench_awaited.sessions
    where token_hash = $1 and revoked_at is null and expires_at > now()`,
}
const becomeUser = {
  name: 'become_user',
  text: `select set_config('app.user_id', $1, true), set_config('role', 'bench_user', true)`,
}
const describeMe = {
  name: 'describe_me',
  text: 'select description from bench_awaited.user_descriptions where id = $1',
}

/**
 * `GET /users/me` as it is mostly written: a transaction of five statements, each awaited before the next is
 * sent. All but begin and commit are prepared, so that what is compared is how Postgres is asked, and not how
 * often it plans.
 */
export function awaitedRoute(app: FastifyInstance, pool: pg.Pool): void {
  app.get('/users/me', { schema: { response: { 200: user } } }, async (request) => {
    const token = request.headers.authorization?.slice('Bearer '.length) ?? ''
    const tokenHash = createHash('sha256').update(token).digest()
    const client = await pool.connect()
    try {
      await client.query('begin')
      const { rows: sessions } = await client.query({ ...findSession, values: [tokenHash] })
      const [session] = sessions
      if (session === undefined) throw new Error('there is no such session')
      await client.query({ ...becomeUser, values: [session.user_id] })
      const { rows } = await client.query({ ...describeMe, values: [session.user_id] })
      await client.query('commit')
      client.release()
      return rows[0]?.description
    } catch (error) {
      // Whatever was begun ends with the connection.
      client.release(true)
      throw error
    }
  })
}
