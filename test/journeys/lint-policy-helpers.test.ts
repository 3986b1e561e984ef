/** What `pie lint` makes of the helpers of policies on a Postgres 15: the same answers, and a plan that is kept. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { lintDatabase } from '../../advisor/src/lint/lint-database.ts'
import { namesOfPie } from '../../server/src/edge/cli/advised.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { asOwner, prepareDatabase } from '../../server/src/ground/database/prepare-database.ts'
import { faultsOfHelpers, policyHelpers } from '../harness/lint/faults-of-helpers.ts'
import { plainNames, schemaAlone, soundFunction, weirdNames } from '../harness/lint/names.ts'
import { type OtherPostgres, startOtherPostgres } from '../harness/other-postgres.ts'

let server: OtherPostgres
let owner: pg.Client
before(async () => {
  server = await startOtherPostgres(`postgres-15-${process.platform}-${process.arch}`)
  await asOwner(Secret.fromText(server.url.href), prepareDatabase)
  owner = new pg.Client({ connectionString: server.url.href })
  await owner.connect()
})
after(async () => {
  await owner.end()
  await server.stop()
})

const findingsIn = async (schema: string) => {
  const { findings } = await lintDatabase(owner, {
    schemas: [schema],
    acceptances: [],
    names: namesOfPie,
  })
  return findings.filter(({ rule }) => rule === 'policy-helper-planned-at-each-call')
}

for (const { schema, fill } of [plainNames('plain'), weirdNames('Weird')])
  test(`in ${schema}, each helper answers after its mend as it did before, and is planned no more`, async () => {
    await owner.query(fill(schemaAlone))
    for (const { sql } of faultsOfHelpers) await owner.query(fill(sql))
    let plannings = 0
    owner.on('notice', ({ message }) => {
      if (message === 'PLANNER STATISTICS') plannings += 1
    })
    const ask = async () => {
      const answers: unknown[] = []
      for (const { call } of policyHelpers) {
        const statement = fill(`select ${call} as answer`)
        // After as many calls Postgres has decided whether a plan is good for any argument.
        for (let calls = 0; calls < 6; calls += 1) await owner.query(statement)
        await owner.query('set log_planner_stats = on; set client_min_messages = log')
        plannings = 0
        const { rows } = await owner.query(statement)
        answers.push({ answer: rows[0].answer, isPlannedInside: plannings > 1 })
        await owner.query('reset log_planner_stats; reset client_min_messages')
      }
      return answers
    }
    const answers = [
      'viewer',
      true,
      ['editor 6', 'viewer 6'],
      ['admin', 'editor', 'viewer'],
      true,
      8,
      true,
    ]
    assert.deepEqual(
      await ask(),
      answers.map((answer) => ({ answer, isPlannedInside: true })),
    )
    for (const { mend } of await findingsIn(schema)) await owner.query(mend)
    assert.deepEqual(
      await ask(),
      answers.map((answer) => ({ answer, isPlannedInside: false })),
    )
    assert.deepEqual(await findingsIn(schema), [])
    owner.removeAllListeners('notice')
  })

test('what cannot be written anew by rule is named all the same, and its mend says so', async () => {
  await owner.query(
    plainNames('by_hand').fill(`${schemaAlone}
      ${soundFunction(
        '{marks}()',
        `returns boolean language sql security definer set search_path = pg_catalog, pg_temp
        as $$ delete from pie_schema.user_roles where false; select true $$`,
      )}
      create table {s}.{marked} ({id} integer);
      create policy {marked_own} on {s}.{marked} to webuser using ((select {s}.{marks}()));`),
  )
  assert.deepEqual(
    (await findingsIn('by_hand')).map(({ object, mend }) => ({ object, mend })),
    [
      {
        object: 'function by_hand.marks()',
        mend: '-- to be written anew in language plpgsql: by_hand.marks()',
      },
    ],
  )
})

test('a helper in a schema that was not named is not looked at, also where the policy stands', async () => {
  const { fill } = plainNames('elsewhere')
  await owner.query(
    fill(`${schemaAlone}
      create function public.asks() returns boolean language sql stable security definer
        set search_path = pg_catalog, pg_temp as 'select true';
      create table {s}.{asked} ({id} integer);
      create policy {asked_own} on {s}.{asked} to webuser using ((select public.asks()));`),
  )
  assert.deepEqual(await findingsIn('elsewhere'), [])
  assert.deepEqual(
    (await findingsIn('public')).map(({ object }) => object),
    ['function public.asks()'],
  )
})
