/** How `advisor` is told of a database, and what it makes of what an address says of TLS. On Postgres 15, without Pie. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { runAdvisor } from '../harness/advisor.ts'
import { type OtherPostgres, startOtherPostgres } from '../harness/other-postgres.ts'
import { makePrivateCa, type PrivateCa } from '../harness/private-ca.ts'

const program = fileURLToPath(new URL('../../advisor/bin/advisor.js', import.meta.url))

let ca: PrivateCa
let encrypted: OtherPostgres
let plain: OtherPostgres
before(async () => {
  ca = await makePrivateCa('Nobody in particular')
  const { certificate, key } = await ca.issue('DNS:localhost')
  const binaries = `postgres-15-${process.platform}-${process.arch}`
  const tls = { ssl: 'on', ssl_cert_file: certificate, ssl_key_file: key }
  encrypted = await startOtherPostgres(binaries, 'postgres', tls)
  plain = await startOtherPostgres(binaries)
  const owner = new pg.Client({ connectionString: plain.url.href })
  await owner.connect()
  await owner.query(`
    create role shop login; create schema app; create schema billing;
    create table app.orders (id integer primary key); create table billing.bills (id integer primary key);
    grant usage on schema app, billing to shop; grant select on app.orders, billing.bills to shop`)
  await owner.end()
})
after(async () => {
  await encrypted.stop()
  await plain.stop()
  ca.remove()
})

/** Whether its own connection was encrypted is in no report: what is asked is whether it came through. */
async function look(server: OtherPostgres, parameters: Record<string, string>, host = 'localhost') {
  const url = new URL(server.url)
  url.hostname = host
  url.search = String(new URLSearchParams(parameters))
  const { code, stderr } = await runAdvisor(['lint', url.href, '--fail-on', 'never'])
  return { code, stderr }
}

const through = { code: 0, stderr: '' }

test('sslmode is what it is for psql: require asks for no certificate, verify-ca for its signer, verify-full for the name too', async () => {
  const sslrootcert = ca.file
  for (const parameters of [
    {},
    { sslmode: 'prefer' },
    { sslmode: 'require' },
    { sslmode: 'no-verify' },
  ])
    assert.deepEqual(await look(encrypted, parameters), through, JSON.stringify(parameters))
  for (const sslmode of ['require', 'verify-ca', 'verify-full'])
    assert.deepEqual(await look(encrypted, { sslmode, sslrootcert }), through, sslmode)
  // Its certificate is for localhost.
  assert.deepEqual(
    await look(encrypted, { sslmode: 'verify-ca', sslrootcert }, '127.0.0.1'),
    through,
  )
  for (const [parameters, host] of [
    [{ sslmode: 'verify-full', sslrootcert }, '127.0.0.1'],
    [{ sslmode: 'verify-full' }, 'localhost'],
    [{ sslmode: 'verify-ca' }, 'localhost'],
  ] as const) {
    const { code, stderr } = await look(encrypted, parameters, host)
    assert.equal(code, 2, JSON.stringify(parameters))
    assert.match(stderr, /^advisor: Could not connect to .*sslrootcert=.*\n$/)
  }
})

test('where the server has no TLS, prefer and no sslmode do without, and require says so', async () => {
  for (const parameters of [{}, { sslmode: 'prefer' }, { sslmode: 'disable' }])
    assert.deepEqual(await look(plain, parameters), through, JSON.stringify(parameters))
  const { code, stderr } = await look(plain, { sslmode: 'require' })
  assert.equal(code, 2)
  assert.match(stderr, /does not support SSL.* sslmode=disable does without TLS\.\n$/)
  assert.match((await look(plain, { sslmode: 'maybe' })).stderr, /sslmode is one of disable, allow/)
})

test('a password that is not encoded is told, and no piece of it', async () => {
  for (const password of [
    'se/cret',
    'se?cret',
    'se#cret',
    '12/se@cret',
    '12#se@cret',
    '12?se@cret',
    'se%cret',
  ])
    for (const command of ['lint', 'exposure']) {
      const { code, stderr } = await runAdvisor([
        command,
        `postgres://ada:${password}@localhost/db`,
      ])
      assert.equal(code, 2)
      assert.match(stderr, /In a password, write .* as %2F %3A %3F %23 %40 and %25\.\n$/)
      assert.doesNotMatch(stderr, /cret|ada/)
    }
})

test('no message has a password in it, wherever the address stood', async () => {
  const address = 'postgres://ada:secret@localhost:1/db'
  for (const args of [
    ['lint', '--from', address],
    ['lint', '--accepted', address],
    ['lint', address, address],
    ['lint', `--frm=${address}`],
    ['exposure', '--diff', address, address],
    ['lint', address],
  ]) {
    const { code, stderr } = await runAdvisor(args)
    assert.equal(code, 2, args.join(' '))
    assert.notEqual(stderr, '')
    assert.doesNotMatch(stderr, /secret/, args.join(' '))
  }
})

test('names stand after their option one by one or together, and the address anywhere', async () => {
  const address = plain.url.href
  for (const args of [
    ['--schema', 'app', 'billing', address],
    ['--schema', 'app', '--schema', 'billing', address],
    [address, '--schema', 'app', 'billing', '--role', 'shop'],
    ['--role', 'shop', address, '--schema', 'app', 'billing'],
  ]) {
    const lint = await runAdvisor(['lint', '--json', ...args])
    assert.deepEqual(JSON.parse(lint.stdout || '{}').schemas, ['app', 'billing'], lint.stderr)
    const exposure = await runAdvisor(['exposure', '--json', ...args])
    const { asked } = JSON.parse(exposure.stdout || '{}')
    assert.deepEqual(asked?.schemas, ['app', 'billing'], exposure.stderr)
  }
  const missing = await runAdvisor(['exposure', '--role', 'shop'], { DATABASE_URL: '' })
  assert.match(missing.stderr, /advisor exposure postgres:\/\/user:password@host\/database\n$/)
  const several = await runAdvisor(['lint', address, '--role', address])
  assert.match(several.stderr, /looks at one database/)
})

test('whoever stops reading is no failure', async () => {
  for (const args of [['--help'], ['lint', '--help']]) {
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.destroy()
    let said = ''
    child.stderr.on('data', (text) => {
      said += text
    })
    const [code] = await once(child, 'close')
    assert.deepEqual({ code, said }, { code: 0, said: '' })
  }
})

test('a Node that is too old is said, and ends with 2: nothing was looked at', async () => {
  const older =
    'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.1.0"}})'
  const child = spawn(process.execPath, ['--import', older, program, 'lint'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (text) => {
    said += text
  })
  const [code] = await once(child, 'close')
  assert.equal(code, 2)
  assert.match(said, /needs 22\.12 or later/)
})
