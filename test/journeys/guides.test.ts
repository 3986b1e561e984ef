/** docs/guides/: whoever copies from them gets what works. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { lintDatabase } from '../../advisor/src/index.ts'
import { proofOf, testKeys } from '../../database/test/people.ts'
import { namesOfPie } from '../../server/src/edge/cli/advised.ts'
import { authenticateText, deriveKeys } from '../../server/src/ground/crypto/derive-keys.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { registerByCookie } from '../harness/by-cookie.ts'
import { cloneDatabase, testSecretKey } from '../harness/cluster.ts'
import {
  type Block,
  compiler,
  compilerOptions,
  makeWorkshop,
  readGuide,
  type Workshop,
} from '../harness/guide.ts'
import {
  type Answer,
  goodPassword,
  register,
  send,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'
import { findFreePort, runPie } from '../harness/process.ts'

const postgres = readGuide('postgres.md')
const library = readGuide('library.md')
const written = (blocks: Block[], language: string) =>
  blocks.filter((block) => block.language === language)

let pie: TestPie
let workshop: Workshop
let drop: () => Promise<void>
before(async () => {
  const database = await cloneDatabase()
  drop = database.drop
  pie = await startTestPie({ databaseUrl: database.url })
  workshop = makeWorkshop()
  for (const [guide, blocks] of Object.entries({ postgres, library }))
    for (const [index, { text }] of written(blocks, 'ts').entries())
      workshop.write(`${guide}-${index}.ts`, text)
})
after(async () => {
  workshop?.remove()
  await pie?.close()
  await drop?.()
})

async function runSql({ text, place }: Pick<Block, 'text' | 'place'>): Promise<void> {
  await pie.owner.query(text).catch(async (error: pg.DatabaseError) => {
    await pie.owner.query('rollback')
    throw new Error(`${place}: ${error.message} (${error.code}) ${error.where ?? ''}`)
  })
  const { rows } = await pie.owner.query('select current_user = session_user as is_owner')
  assert.ok(rows[0].is_owner, `${place} leaves a transaction open`)
}

/** What the processes of an application get to know; nothing of this machine's. */
const environment = (more: Record<string, string> = {}) => ({
  PATH: process.env['PATH'] ?? '',
  DATABASE_URL: pie.databaseUrl,
  SECRET_KEY: testSecretKey,
  SERVICE_DOMAIN: 'http://localhost:3000',
  ...more,
})

describe('the guide to Postgres', () => {
  test('its SQL runs, in order, on a fresh database, and says the truth', async () => {
    const blocks = written(postgres, 'sql')
    assert.ok(blocks.length >= 8, `only ${blocks.length} blocks were found`)
    for (const block of blocks) await runSql(block)
    await assert.rejects(
      runSql({ text: "do $$ begin assert false, 'of course' end $$", place: 'here' }),
    )
  })

  test('its schema keeps the rules of pie lint', async () => {
    const settings = { DATABASE_URL: pie.databaseUrl, SECRET_KEY: testSecretKey }
    const lint = ['lint', '--schema', 'app', '--json']
    const usual = await runPie(lint, settings)
    assert.deepEqual(JSON.parse(usual.stdout).findings, [], usual.stderr)
  })

  test('its test passes', async () => {
    const file = `${workshop.directory}/postgres-0.ts`
    const child = spawn(process.execPath, ['--test', file], {
      cwd: workshop.directory,
      env: environment(),
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
    const [code] = await once(child, 'close')
    assert.equal(code, 0, said)
    assert.match(said, /pass 1\b/)
  })
})

describe('the guides’ TypeScript', () => {
  test('compiles under the strictest options', () => {
    const options = { extends: compilerOptions, include: ['*.ts'] }
    workshop.write('tsconfig.json', JSON.stringify(options))
    const { status, stdout } = spawnSync(compiler, ['-p', workshop.directory], { encoding: 'utf8' })
    assert.equal(status, 0, stdout)
  })
})

describe('the guide to Pie in an application', () => {
  test('the plugin’s example runs, and does what the guide says', async () => {
    const port = await findFreePort()
    const child = spawn(process.execPath, [`${workshop.directory}/library-0.ts`], {
      cwd: workshop.directory,
      env: environment({ PORT: String(port), RATE_LIMIT_SCALE: '1000' }),
      stdio: 'ignore',
    })
    const ask = (path: string, options = {}) => send(`http://127.0.0.1:${port}`, path, options)
    try {
      await untilItAnswers(() => ask('/'), child)
      const body = { email: 'sophie@example.com', password: goodPassword, name: 'Sophie' }
      const token = (await ask('/auth/register', { body })).body.access_token
      assert.deepEqual((await ask('/', { token })).body, { hello: 'Sophie' })
      const added = await ask('/notes', { token, body: { titles: ['one', 'two'] } })
      assert.deepEqual([added.status, added.body.ids.length], [201, 2])
      assert.equal((await ask('/notes', { token })).body.length, 2)

      const refused = await ask('/notes', { token, body: { titles: ['three', ''] } })
      assert.deepEqual([refused.status, refused.body.code], [400, 'invalid_request'])
      assert.equal((await ask('/notes', { token })).body.length, 2)
      assert.deepEqual((await ask('/notes')).body.code, 'unauthenticated')

      const { cookie, csrfToken } = await registerByCookie({ request: ask }, 'mary')
      const titles = { body: { titles: ['by cookie'] } }
      const bare = await ask('/notes', { headers: { cookie }, ...titles })
      assert.deepEqual([bare.status, bare.body.code], [403, 'csrf_token_missing'])
      const headers = { cookie, 'x-csrf-token': csrfToken }
      assert.equal((await ask('/notes', { headers, ...titles })).status, 201)
    } finally {
      child.kill('SIGKILL')
    }
  })

  test('sessions, withSession, Kysely, Drizzle and the verified token work on one database', async (t) => {
    const cream = new URL(pie.databaseUrl)
    cream.username = 'cream'
    cream.password = testKeys.requestRolePassword.revealText()
    Object.assign(process.env, {
      SECRET_KEY: testSecretKey,
      REQUEST_DATABASE_URL: cream.href,
      SERVICE_DOMAIN: 'http://localhost:3000',
      JWKS_URL: `${pie.pie.address}/.well-known/jwks.json`,
    })
    const auth = new URL(pie.databaseUrl)
    auth.username = 'pie_auth'
    auth.password = ''
    Object.assign(process.env, { AUTH_DATABASE_URL: auth.href })
    const load = (index: number) => import(`${workshop.directory}/library-${index}.ts`)
    const [session, own, verified, kysely, drizzle] = await Promise.all([1, 2, 3, 4, 5].map(load))

    const { cookie } = await registerByCookie(pie, 'emmy')
    const value = cookie.slice(cookie.indexOf('=') + 1)
    assert.equal(await own.addNote(value, 'of emmy'), 1)
    assert.equal(await own.addNote(value, 'of emmy too'), 2)
    await assert.rejects(own.addNote(`${value.slice(0, -1)}_`, 'forged'), {
      code: 'unauthenticated',
    })
    await own.close()
    // What an example has open would keep a failing test from ending.
    t.after(() => session.close())
    const notes = await session.listNotes(new Request('http://localhost/', { headers: { cookie } }))
    assert.equal(notes.headers.get('cache-control'), 'private, no-store')
    const titles = (await notes.json()).map(({ title }: { title: string }) => title)
    assert.deepEqual(titles, ['of emmy', 'of emmy too'])
    assert.equal((await session.listNotes(new Request('http://localhost/'))).status, 401)

    const { access_token, user } = await register(pie, 'lise')
    const credential = await verified.credentialOf(access_token)
    assert.deepEqual(credential.proofs, [proofOf(credential.sessionId)])
    await assert.rejects(verified.credentialOf(`${access_token.slice(0, -4)}AAAA`))
    await pie.owner.query(
      `insert into app.notes (owner, title, created_at)
       select $1, 'note ' || n, now() + make_interval(secs => n) from generate_series(1, 60) as n`,
      [user.id],
    )
    const pool = new pg.Pool({ connectionString: cream.href, max: 2 })
    for (const { newestNotes } of [kysely, drizzle]) {
      const newest = await newestNotes(pool, credential)
      assert.deepEqual([newest.length, newest[0].title], [50, 'note 60'])
    }
    await pool.end()
  })

  test('the proof in its other language is the proof', (t) => {
    const text = library.map((block) => block.text).join('\n')
    const sessionId = '6f1b2f0e-8f0f-4d0c-9a55-0d8f7f2f9b11'
    const secretKey = 'an example, and no secret to anybody'
    const [keys] = deriveKeys([Secret.fromText(secretKey)])
    assert.ok(keys !== undefined)
    const proof = authenticateText(keys.sessionProof, sessionId).toString('hex')
    assert.ok(text.includes(proof), `the guide does not say that it is ${proof}`)

    const [block] = written(library, 'python')
    const program = `${block?.text}\nprint(prove_session("${secretKey}", "${sessionId}").hex())\n`
    const python = spawnSync('python3', ['-'], { input: program, encoding: 'utf8' })
    // The bytes are compared above in any case.
    if (python.error !== undefined) return t.diagnostic('there is no python3 here')
    assert.equal(python.stdout.trim(), proof, python.stderr)
  })
})

async function untilItAnswers(
  ask: () => Promise<Answer>,
  child: { exitCode: number | null },
): Promise<void> {
  for (;;) {
    const answer = await ask().catch(() => null)
    if (answer !== null) return
    assert.equal(child.exitCode, null, 'the example has ended')
    await sleep(50)
  }
}

test('what the guide to GraphQL makes has no finding', async () => {
  const database = await cloneDatabase()
  const owner = new pg.Client({ connectionString: database.url })
  await owner.connect()
  try {
    const [schema] = written(readGuide('graphql.md'), 'sql')
    await owner.query(schema?.text ?? '')
    const names = namesOfPie
    const { findings } = await lintDatabase(owner, { schemas: ['app'], acceptances: [], names })
    assert.deepEqual(findings, [])
  } finally {
    await owner.end()
    await database.drop()
  }
})
