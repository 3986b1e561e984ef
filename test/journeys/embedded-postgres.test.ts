/** The Postgres that Pie brings: what it is given of Pie's, and what it writes down. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import pg from 'pg'
import { findPostmaster } from '../../server/src/ground/embedded-postgres/postmaster.ts'
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../server/src/ground/embedded-postgres/start-embedded-postgres.ts'
import { atExit } from '../harness/at-exit.ts'
import { testSecretKey } from '../harness/cluster.ts'
import { until } from '../harness/nodes.ts'
import {
  type DataDirectory,
  makeDataDirectory,
  runPie,
  startPieProcess,
} from '../harness/process.ts'

const logsOf = (directory: string) =>
  readdirSync(join(directory, 'log'))
    .filter((name) => name.endsWith('.log'))
    .sort()
const bytesOf = (directory: string) =>
  logsOf(directory).reduce((sum, name) => sum + statSync(join(directory, 'log', name)).size, 0)
const readAll = (directory: string) =>
  logsOf(directory)
    .map((name) => readFileSync(join(directory, 'log', name), 'utf8'))
    .join('')

describe('the environment of what Pie starts', () => {
  let data: DataDirectory
  before(() => {
    data = makeDataDirectory()
  })
  after(() => data.remove())

  /** A process' and all of its children's. */
  const environmentsOf = (pid: number): string[] => {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')
    return [pid, ...children.filter((child) => child.trim() !== '')].map((process) =>
      readFileSync(`/proc/${process}/environ`, 'utf8'),
    )
  }

  test('has where things are and how they are written, and nothing of Pie’s', {
    skip: !existsSync('/proc/self/environ'),
  }, async () => {
    const secrets = {
      SECRET_KEY: testSecretKey,
      CACHE_URL: '',
      METRICS_TOKEN: randomBytes(32).toString('hex'),
      AWS_SECRET_ACCESS_KEY: 'of somebody else',
      PGPASSWORD: 'of another server',
      PGOPTIONS: '-c log_connections=on',
      LD_PRELOAD: '',
    }
    const settings = { DATA_DIR: data.path, SOCKET: '127.0.0.1:0', TZ: 'Europe/Berlin', ...secrets }
    const pie = await startPieProcess(settings)
    try {
      assert.ok(readFileSync(`/proc/${pie.child.pid}/environ`, 'utf8').includes(testSecretKey))
      const environments = environmentsOf(data.postgresPid())
      assert.ok(environments.length > 3, 'no children were found')
      for (const environment of environments) {
        const names = environment
          .split('\0')
          .filter((one) => one !== '')
          .map((one) => one.split('=')[0])
        const unknown = names.filter(
          (name) =>
            !/^(PATH|HOME|TZ|LANG|LC_[A-Z]+|TMPDIR|PGLOCALEDIR|PGSYSCONFDIR|PG_GRANDPARENT_PID)$/.test(
              name ?? '',
            ),
        )
        assert.deepEqual(unknown, [])
        for (const secret of Object.values(secrets).filter((value) => value !== ''))
          assert.ok(!environment.includes(secret), secret)
      }
      const { code } = await runPie(['user', 'list'], settings)
      assert.equal(code, 0)
    } finally {
      await pie.end('SIGTERM')
    }
  })
})

describe('the log', () => {
  let directory: string
  let postgres: EmbeddedPostgres | undefined
  atExit(() => {
    const { pid } = findPostmaster(join(directory, 'data')) ?? {}
    if (pid !== undefined) process.kill(pid, 'SIGQUIT')
  })
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'pie-log-'))
  })
  beforeEach(() => postgres?.stop())
  after(async () => {
    await postgres?.stop()
    rmSync(directory, { recursive: true, force: true })
  })
  const start = async (settings: Record<string, string> = {}) => {
    const holder = { kind: 'server' } as const
    postgres = undefined
    postgres = await startEmbeddedPostgres({
      directory,
      holder,
      settings: { fsync: 'off', ...settings },
    })
    return postgres
  }
  const connect = async () => {
    const client = new pg.Client({ connectionString: postgres?.url.revealText() })
    client.on('error', () => {})
    await client.connect()
    return client
  }
  const said = (text: string) => until(() => readAll(directory).includes(text))

  test('of the start before stays, and so does one of a version that emptied it', async () => {
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'postgres.log'), 'of the version before\n')
    await start()
    assert.match(readAll(directory), /of the version before/)
    const first = await connect()
    await first.query(`do $$ begin raise log 'in the first run'; end $$`)
    await first.end()
    await postgres?.stop()
    await start()
    await said('ready to accept connections')
    for (const text of ['of the version before', 'in the first run']) await said(text)
    assert.ok(!existsSync(join(directory, 'postgres.log')))
    assert.equal(statSync(join(directory, 'log', logsOf(directory).at(-1) ?? '')).mode & 0o77, 0)
  })

  test('has the last words of a Postgres that was killed, and of one whose Pie was', async () => {
    await start()
    const client = await connect()
    await client.query(`do $$ begin raise log 'the last words'; end $$`)
    const { pid } = findPostmaster(join(directory, 'data')) ?? { pid: 0 }
    process.kill(pid, 'SIGKILL')
    await postgres?.ended
    await client.end().catch(() => {})
    await said('the last words')
  })

  test('is bounded, whatever there was and however fast it grows', async () => {
    for (let day = 10; day < 30; day++) {
      const file = join(directory, 'log', `postgres-202001${day}-000000.log`)
      writeFileSync(file, '')
      truncateSync(file, 8 * 1024 * 1024)
    }
    await start()
    assert.ok(bytesOf(directory) <= 65 * 1024 * 1024, String(bytesOf(directory)))
    const client = await connect()
    const flood = `do $$ begin for at in 1..200 loop raise log '%', repeat('x', 1000000); end loop; end $$`
    await client.query(flood)
    await until(() => bytesOf(directory) < 80 * 1024 * 1024)
    await client.query(`do $$ begin raise log 'after the flood'; end $$`)
    await said('after the flood')
    await until(() => {
      const names = logsOf(directory)
      return names.every((name) => !name.startsWith('postgres-2020'))
    })
    await client.end()
  })

  test('of many short runs is so many files', async () => {
    for (let second = 10; second < 60; second++)
      writeFileSync(join(directory, 'log', `postgres-20200101-0000${second}.log`), 'x')
    await start()
    assert.ok(logsOf(directory).length <= 21, String(logsOf(directory).length))
  })

  test('has one line of what is refused: neither the statement nor where it was', async () => {
    await start()
    const client = await connect()
    await client.query(`create function f() returns void language plpgsql as $$
      begin raise exception 'the session is not valid' using errcode = '28000'; end $$`)
    const refused = client.query(`select f() /* ${'a long statement '.repeat(50)} */`)
    await assert.rejects(refused, { code: '28000' })
    await said('the session is not valid')
    await client.query(`do $$ begin raise log 'and after it'; end $$`)
    await said('and after it')
    await client.end()
    const lines = readAll(directory).split('\n')
    const at = lines.findIndex((line) => line.includes('the session is not valid'))
    assert.match(lines[at + 1] ?? '', /and after it/)
    assert.ok(!lines.some((line) => line.includes('a long statement')))
  })

  test('is where a start that fails is explained from, whichever part of it has said why', async () => {
    const reasons: [settings: Record<string, string>, reason: RegExp][] = [
      [{ no_such_setting: 'x' }, /unrecognized configuration parameter "no_such_setting"/],
      [{ shared_preload_libraries: 'no_such_library' }, /no_such_library/],
      [{ hba_file: '/nowhere' }, /could not load|\/nowhere/],
      [{ port: '1', listen_addresses: '203.0.113.1' }, /203\.0\.113\.1|could not create any TCP/],
    ]
    for (const [settings, reason] of reasons) await assert.rejects(start(settings), reason)
    await start()
  })
})
