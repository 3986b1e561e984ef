/** On Pie's own Postgres: SQL that got in through a hole holds every advisory lock and cannot take the turn; and what everybody has of Postgres, it has not. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { testKeys } from '../../database/test/people.ts'
import { testSecretKey } from '../harness/cluster.ts'
import { goodPassword, register, send } from '../harness/pie.ts'
import {
  type DataDirectory,
  type Environment,
  makeDataDirectory,
  type PieProcess,
  runPie,
  startPieProcess,
} from '../harness/process.ts'

let data: DataDirectory
let node: PieProcess
let settings: Environment
let cream: pg.Client
before(async () => {
  data = makeDataDirectory()
  settings = { DATA_DIR: data.path, SOCKET: '127.0.0.1:0', SECRET_KEY: testSecretKey }
  node = await startPieProcess(settings)
  await register({ request: (path, options) => send(node.address, path, options) }, 'ada')
  const [, , , port] = readFileSync(
    join(data.path, 'postgres', 'data', 'postmaster.pid'),
    'utf8',
  ).split('\n')
  cream = new pg.Client({
    host: '127.0.0.1',
    port: Number(port),
    user: 'cream',
    password: testKeys.requestRolePassword.revealText(),
    database: 'pie_db',
  })
  cream.on('error', () => {})
  await cream.connect()
  await cream.query('set statement_timeout = 0; set idle_session_timeout = 0')
})
after(async () => {
  await cream?.end()
  await node?.end('SIGTERM')
  data?.remove()
})

test('no command waits for an advisory lock that requests hold', async () => {
  // Those that Pie takes or has taken: of whoever prepares, and of whoever keeps the server.
  await cream.query('select pg_advisory_lock($1), pg_advisory_lock($2)', [0x7069650001, 0x706965])
  const holding = new Set<string>()
  for (const args of [
    ['session', 'revoke', 'ada@example.com'],
    ['user', 'disable', 'ada@example.com'],
    ['user', 'enable', 'ada@example.com'],
    ['user', 'password', 'ada@example.com'],
    ['role', 'grant', 'ada@example.com', 'editor'],
    ['role', 'create', 'support', '--description', 'Helps.'],
    ['key', 'rotate'],
    ['secret', 'rotate'],
    ['migrate'],
    ['doctor'],
    ['user', 'delete', 'ada@example.com', '--yes'],
  ]) {
    const { code, stderr, stdout } = await runPie(args, settings, { input: `${goodPassword}\n` })
    assert.equal(code, 0, `pie ${args.join(' ')}: ${stderr}${stdout}`)
    const { rows } = await cream.query(
      `select objid::text from pg_locks where pid = pg_backend_pid() and locktype = 'advisory' and granted`,
    )
    holding.add(String(rows.length))
  }
  assert.deepEqual([...holding], ['2'], 'the locks were held all the time')
})

test('large objects and the end of others’ requests are nobody’s there but the owner’s', async () => {
  for (const sql of [
    'select lo_create(0)',
    'select lo_creat(-1)',
    `select lo_from_bytea(0, 'mine')`,
    `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'cream' and pid <> pg_backend_pid()`,
    `select pg_cancel_backend(pid) from pg_stat_activity where usename = 'cream' and pid <> pg_backend_pid()`,
  ])
    await assert.rejects(cream.query(sql), { code: '42501' }, sql)
  assert.equal((await cream.query('select 1 as one')).rows[0].one, 1)
})
