import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { fastify } from 'fastify'
import pg from 'pg'
import { pie } from '../../server/src/index.ts'
import { cloneDatabase, type TestDatabase, testSecretKey } from '../harness/cluster.ts'
import { startTestPie } from '../harness/pie.ts'

/** The application's own SQL, which the plugin runs. */
let database: TestDatabase
let owner: pg.Client
let directory: string
before(async () => {
  database = await cloneDatabase()
  owner = new pg.Client({ connectionString: database.url })
  await owner.connect()
})
after(async () => {
  await owner?.end()
  await database?.drop()
})
beforeEach(async () => {
  if (directory !== undefined) rmSync(directory, { recursive: true })
  directory = mkdtempSync(join(tmpdir(), 'pie-migrations-'))
  await owner.query('drop schema if exists app cascade')
  await owner.query(`delete from pie_private.migrations where name like 'application/%'`)
})
after(() => rmSync(directory, { recursive: true }))

const write = (name: string, sql: string) => writeFileSync(join(directory, name), sql)

/** Starts the application, and stops it again. */
async function start(): Promise<void> {
  const app = fastify()
  const settings = { DATABASE_URL: database.url, SECRET_KEY: testSecretKey, LOG_LEVEL: 'silent' }
  try {
    await app.register(pie, { settings, migrations: pathToFileURL(`${directory}/`) })
  } finally {
    await app.close()
  }
}

const lines = async () =>
  (await owner.query('select line from app.lines order by line')).rows.map(({ line }) => line)
const recorded = async () =>
  (
    await owner.query(
      `select name from pie_private.migrations where name like 'application/%' order by name`,
    )
  ).rows.map(({ name }) => name)

test('the files run in order, each once, and a later one by itself', async () => {
  write('0002-lines.sql', `insert into app.lines values ('second')`)
  write('0001-app.sql', `create schema app; create table app.lines (line text)`)
  await start()
  await start()
  assert.deepEqual(await lines(), ['second'])
  write('0003-more_lines2.sql', `insert into app.lines values ('third')`)
  await start()
  assert.deepEqual(await lines(), ['second', 'third'])
  assert.equal((await recorded()).length, 3)
})

test('what one sets for itself does not reach the next, nor Pie', async () => {
  write('0001-app.sql', `create schema app; create table app.lines (line text)`)
  write('0002-sets.sql', `set search_path = app; set role webuser; reset role; set role webuser;`)
  // The record is made by the owner: a file that gives its role away must take it back.
  await assert.rejects(start(), /0002-sets\.sql failed, and nothing of it was kept/)
  write('0002-sets.sql', `set search_path = app; insert into lines values ('found')`)
  write('0003-unset.sql', `insert into lines values ('found too')`)
  await assert.rejects(start(), /0003-unset\.sql failed.*relation "lines" does not exist/)
  assert.deepEqual(await lines(), ['found'])
})

test('one that fails keeps nothing, stops the start, says which, and runs again when it is mended', async () => {
  write('0001-app.sql', `create schema app; create table app.lines (line text)`)
  write('0002-half.sql', `insert into app.lines values ('half'); select 1 / 0`)
  await assert.rejects(start(), /application\/0002-half\.sql failed.*division by zero/)
  assert.deepEqual(await lines(), [])
  assert.deepEqual(await recorded(), ['application/0001-app.sql'])
  write('0002-half.sql', `insert into app.lines values ('whole')`)
  await start()
  assert.deepEqual(await lines(), ['whole'])
})

test('one that has run and was changed, or is gone, stops the start', async () => {
  write('0001-app.sql', `create schema app; create table app.lines (line text)`)
  await start()
  write('0001-app.sql', `create schema other`)
  await assert.rejects(start(), /application\/0001-app\.sql is not the one/)
  rmSync(join(directory, '0001-app.sql'))
  write('0002-lines.sql', `insert into app.lines values ('second')`)
  await assert.rejects(start(), /this version of the application does not know/)
  assert.deepEqual(await lines(), [])
})

test('a directory without migrations, and a file without a number, are mistakes that it names', async () => {
  await assert.rejects(start(), /There are no migrations in /)
  write('first.sql', 'create schema app')
  await assert.rejects(start(), /first\.sql has to be called something like 0001-notes\.sql/)
  const { rows } = await owner.query(`select to_regnamespace('app') as there`)
  assert.equal(rows[0].there, null)
})

test('nodes that start at once run each file once', async () => {
  write('0001-app.sql', `create schema app; create table app.lines as select 'once' as line`)
  await Promise.all([start(), start(), start()])
  assert.deepEqual(await lines(), ['once'])
})

test('a Pie without the application, on the same database, starts and knows nothing of them', async () => {
  write('0001-app.sql', `create schema app; create table app.lines as select 'once' as line`)
  await start()
  const alone = await startTestPie({ databaseUrl: database.url })
  assert.equal((await alone.request('/health/ready')).status, 200)
  await alone.close()
})
