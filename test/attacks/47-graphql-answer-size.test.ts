import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { askGraphql, assertRefusedDocument, graphqlData } from '../harness/graphql.ts'
import { notesSchema } from '../harness/graphql-notes.ts'
import { register, startTestPie, type TestPie } from '../harness/pie.ts'

const MOST_BYTES = 1_000_000

let pie: TestPie
let token: string
let owner: string
before(async () => {
  // Nothing but the size holds anything up here.
  const settings = { GRAPHQL_MAX_COST: '100000000', GRAPHQL_MAX_ANSWER_SIZE: String(MOST_BYTES) }
  pie = await startTestPie({ settings: { GRAPHQL_SCHEMAS: 'app', ...settings } })
  await pie.owner.query(notesSchema)
  await pie.owner.query(`
    create function app.words(count int) returns text language sql stable as $$ select repeat('word ', count) $$;
    create function app.document(count int) returns jsonb language sql stable
      as $$ select jsonb_agg(n) from generate_series(1, count) as n $$;
    create function app.numbers(count int) returns int[] language sql stable
      as $$ select array_agg(n) from generate_series(1, count) as n $$;
    create function app.write_many(count int) returns setof app.notes language sql volatile
      as $$ insert into app.notes (title) select repeat('x', 200) from generate_series(1, count) as n returning * $$;
    revoke execute on all functions in schema app from public;
    grant execute on all functions in schema app to webuser`)
  const ada = await register(pie, 'ada')
  token = ada.access_token
  owner = ada.user.id
  await pie.owner.query(
    `insert into app.notes (owner_id, title) select $1, repeat('x', 1000) from generate_series(1, 600) as n`,
    [owner],
  )
})
after(() => pie.close())

const ask = (query: string) => askGraphql(pie, { token }, query)

const assertTooLarge = async (query: string) =>
  assertRefusedDocument(await ask(query), 'graphql_answer_too_large', /1000000 bytes/)

/** What each connection of request transactions has sent to whoever asks, and that none is at work still. */
async function assertIdle(): Promise<void> {
  const { rows } = await pie.owner.query(
    `select state, query from pg_stat_activity where usename = 'cream' and datname = current_database() and state <> 'idle'`,
  )
  assert.deepEqual(rows, [])
}

const countNotes = async () =>
  (await pie.owner.query('select count(*)::int as count from app.notes')).rows[0].count

describe('an answer ends at its size', () => {
  test('and what is smaller does not', async () => {
    const { words } = await graphqlData(pie, { token }, '{ words(count: 150000) }')
    assert.equal(words.length, 750_000)
  })

  test('whether it is one row, one value of JSON, one list, or many rows', async () => {
    await assertTooLarge('{ words(count: 300000) }')
    await assertTooLarge('{ words(count: 20000000) }')
    await assertTooLarge('{ document(count: 300000) }')
    await assertTooLarge('{ numbers(count: 300000) }')
    await assertTooLarge(
      '{ notes(first: 500) { nodes { owner { notesByOwnerId(first: 500) { nodes { id title } } } } } }',
    )
    await assertTooLarge(
      '{ notes(first: 500) { nodes { id title } } more: notes(first: 500, offset: 100) { nodes { id title } } }',
    )
  })

  test('counted when it is written, too: what is read once may be written often', async () => {
    const aliases = Array.from({ length: 40 }, (_, index) => `a${index}: words(count: 10000)`)
    await assertTooLarge(`{ ${aliases.join(' ')} }`)
    const titles = Array.from({ length: 40 }, (_, index) => `a${index}: title`)
    await assertTooLarge(`{ notes(first: 100) { nodes { ${titles.join(' ')} } } }`)
  })

  test('in bytes, not in signs', async () => {
    await pie.owner.query(
      `create function app.faces(count int) returns text language sql stable as $$ select repeat('😀', count) $$;
       create function app.bells(count int) returns text language sql stable as $$ select repeat(chr(7), count) $$;
       revoke execute on all functions in schema app from public;
       grant execute on all functions in schema app to webuser`,
    )
    const other = await startTestPie({
      databaseUrl: pie.databaseUrl,
      settings: { GRAPHQL_SCHEMAS: 'app', GRAPHQL_MAX_ANSWER_SIZE: String(MOST_BYTES) },
    })
    const fresh = (query: string) => askGraphql(other, { token }, query)
    const saying = /1000000 bytes/
    assertRefusedDocument(
      await fresh('{ bells(count: 200000) }'),
      'graphql_answer_too_large',
      saying,
    )
    assertRefusedDocument(
      await fresh('{ faces(count: 260000) }'),
      'graphql_answer_too_large',
      saying,
    )
    assert.equal((await fresh('{ faces(count: 240000) }')).status, 200)
    await other.close()
  })

  test('of a mutation nothing is kept', async () => {
    const before = await countNotes()
    const mutation = (count: number) =>
      `mutation { writeMany(input: { count: ${count} }) { result { id title owner { id } } } }`
    assert.equal((await ask(mutation(10))).status, 200)
    await assertTooLarge(mutation(10_000))
    // Read it is not too much, but written.
    const titles = Array.from({ length: 40 }, (_, index) => `a${index}: title`)
    await assertTooLarge(
      `mutation { writeMany(input: { count: 500 }) { result { ${titles.join(' ')} } } }`,
    )
    assert.equal(await countNotes(), before + 10)
  })

  test('and nobody else is told of it: connections are for the next, and Postgres has stopped', async () => {
    const logged = pie.log.length
    const others = Array.from({ length: 10 }, () => graphqlData(pie, { token }, '{ me { id } }'))
    const large = Array.from({ length: 10 }, () => assertTooLarge('{ words(count: 3000000) }'))
    for (const { me } of await Promise.all(others)) assert.equal(me.id, owner)
    await Promise.all(large)
    await graphqlData(pie, { token }, '{ me { id } }')
    await assertIdle()
    const warnings = pie.log.slice(logged).map((line) => JSON.parse(line))
    // Which of them Postgres had not yet stopped by itself at the watcher's next look, that ended.
    const unexpected = warnings.filter(({ level, reason }) => level >= 40 && reason !== 'given up')
    assert.deepEqual(unexpected, [])
  })
})
