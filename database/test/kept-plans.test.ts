/** Postgres says whenever it plans a statement: counted on the server that the tests share, and on a Postgres 15. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { asOwner, prepareDatabase } from '../../server/src/ground/database/prepare-database.ts'
import { cloneDatabase } from '../../test/harness/cluster.ts'
import { startOtherPostgres } from '../../test/harness/other-postgres.ts'
import { addPerson, inTransaction } from './people.ts'

const servers: Record<string, () => Promise<{ url: string; drop(): Promise<void> }>> = {
  "the tests' own Postgres": cloneDatabase,
  'a Postgres 15': async () => {
    const server = await startOtherPostgres(`postgres-15-${process.platform}-${process.arch}`)
    await asOwner(Secret.fromText(server.url.href), prepareDatabase)
    return { url: server.url.href, drop: () => server.stop() }
  },
}

/** After as many calls Postgres has decided whether a plan is good for any argument (plan_cache_mode). */
const CALLS_BEFORE = 6

for (const [which, openServer] of Object.entries(servers)) {
  describe(`on ${which}`, () => {
    let server: Awaited<ReturnType<typeof openServer>>
    let owner: pg.Client
    let plannings = 0
    before(async () => {
      server = await openServer()
      owner = new pg.Client({ connectionString: server.url })
      await owner.connect()
      const { id, proof } = (await addPerson(owner, 'ada')).session
      await owner.query(
        `select set_config('pie.session_id', $1, false), set_config('pie.session_proof', $2, false)`,
        [id, proof.toString('hex')],
      )
      owner.on('notice', ({ message }) => {
        if (message === 'PLANNER STATISTICS') plannings += 1
      })
      await owner.query('set log_planner_stats = on; set client_min_messages = log')
    })
    after(async () => {
      await owner.end()
      await server.drop()
    })

    /** How often Postgres plans anything for one more call of an expression. */
    const countPlannings = async (call: string): Promise<number> => {
      for (let calls = 0; calls < CALLS_BEFORE; calls += 1) await owner.query(`select ${call}`)
      plannings = 0
      await owner.query(`select ${call}`)
      return plannings
    }

    for (const helper of [
      'pie_schema.current_user_id()',
      'pie_schema.current_session_id()',
      `pie_schema.has_role('admin')`,
      `pie_schema.has_permission('users:read')`,
      `pie_schema.has_scope('notes:read')`,
    ])
      test(`${helper} is planned once for a connection, however many statements call it`, async () => {
        assert.equal(await countPlannings(helper), 1, 'the calling statement, and nothing in it')
      })

    test('the same in language sql is planned anew before 18: these tests can fail', async () => {
      const { rows } = await owner.query(
        `select pg_get_functiondef('pie_schema.current_user_id()'::regprocedure) as definition,
           current_setting('server_version_num')::int < 180000 as is_planned_anew`,
      )
      const [{ definition, is_planned_anew }] = rows
      const inSql = definition
        .replace('LANGUAGE plpgsql', 'LANGUAGE sql')
        .replace(/begin\s+return \(([\s\S]*)\);\s+end/, '$1')
      await inTransaction(owner, async () => {
        await owner.query(inSql)
        const expected = is_planned_anew ? 2 : 1
        assert.equal(await countPlannings('pie_schema.current_user_id()'), expected)
        await owner.query(definition)
      })
    })
  })
}
