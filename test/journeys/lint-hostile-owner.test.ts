/** A database whose owner means harm, or does not mind: lint and exposure end, say what they could not read, and run nobody's SQL. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import pg from 'pg'
import { mendsInOrder } from '../../advisor/src/cli/mends-in-order.ts'
import { compareExposures } from '../../advisor/src/exposure/diff/compare-exposures.ts'
import { readExposure } from '../../advisor/src/exposure/read-exposure.ts'
import { lintDatabase } from '../../advisor/src/lint/lint-database.ts'
import { namesOfPie as names } from '../../advisor/src/presets/pie.ts'
import { cloneDatabase, type TestDatabase } from '../harness/cluster.ts'

let database: TestDatabase
let owner: pg.Client
before(async () => {
  database = await cloneDatabase()
  owner = new pg.Client({ connectionString: database.url })
  await owner.connect()
})
after(async () => {
  await owner.end()
  await database.drop()
})

const lint = (schema: string) =>
  lintDatabase(owner, { schemas: [schema], acceptances: [], least: 'style', names })

const expose = (schema: string) =>
  readExposure(owner, { schemas: [schema], roles: ['webuser', 'PUBLIC'] })

/** In a schema that is gone afterwards. */
async function inSchema(sql: string, work: () => Promise<void>) {
  await owner.query('create schema app; grant usage on schema app to webuser; create schema kept')
  try {
    await owner.query(sql)
    await work()
  } finally {
    await owner.query('drop schema if exists app cascade; drop schema if exists kept cascade')
  }
}

const quoted = pg.escapeIdentifier
const literal = pg.escapeLiteral

/** Whatever may be wrong, under names of somebody's choice, which are values too. */
const faultsUnder = (name: string): string => {
  const [table, column] = [quoted(`${name}t`), quoted(`${name}c`)]
  return `
    create table kept.canary ();
    create table app.${table} (${column} uuid, other uuid, body text default ${literal(name)});
    create index ${quoted(`${name}i`)} on app.${table} (body);
    create index ${quoted(`${name}j`)} on app.${table} (body);
    alter table app.${table} enable row level security;
    grant all on app.${table} to webuser, public;
    create policy ${quoted(`${name}1`)} on app.${table} for update to webuser using (true);
    create policy ${quoted(`${name}2`)} on app.${table} for select using (body = ${literal(name)} or true);
    create policy ${quoted(`${name}3`)} on app.${table} for delete
      using (body = current_setting(${literal(`app.${name}`)}) and body <> ${literal(name)} or body is null);
    create policy ${quoted(`${name}4`)} on app.${table} for select to webuser
      using (other in (select m.other from app.${table} as m where m.other = m.other and m.body <> ${literal(name)}));
    create view app.${quoted(`${name}v`)} as select * from app.${table} where body <> ${literal(name)};
    grant all on app.${quoted(`${name}v`)} to webuser;
    create function app.${quoted(`${name}f`)}() returns text stable security definer
      return ${literal(name)} || (select body from app.${table} limit 1);
    create rule ${quoted(`${name}r`)} as on update to app.${table} do also delete from app.${table} where body = ${literal(name)};
    create sequence app.${quoted(`${name}q`)}; grant all on app.${quoted(`${name}q`)} to public`
}

const pieces = [
  ...['\n', '\r', '\r\n', ';', '"', "'", '--', '*/', '/*', '$$', '$f$', '\\', '\\!', '\u001b[2J'],
  ...['\u202e', '\u2028', ' ', 'x', 'drop table kept.canary', '; drop table kept.canary; --'],
]
const hostileName = fc
  .array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join('').slice(0, 50))

test('whatever things are called, mends run none of it', async () => {
  await fc.assert(
    fc.asyncProperty(hostileName, async (name) => {
      await inSchema(faultsUnder(name), async () => {
        const { findings } = await lint('app')
        assert.ok(findings.length > 10)
        for (const { object, detail } of findings)
          assert.doesNotMatch(`${object}${detail}`, /[\p{Cc}\p{Cf}\p{Zl}]/u)
        const mends = mendsInOrder(findings)
        assert.doesNotMatch(mends, /(?!\n)[\p{Cc}\p{Cf}\p{Zl}]/u)
        // What psql would run of itself begins a line.
        assert.doesNotMatch(mends, /^\s*\\/m)
        await owner.query('begin')
        await owner.query(mends).catch((error) => assert.notEqual(error.code, '42601', error))
        await owner.query('rollback')
        for (const { mend } of findings) {
          await owner.query('begin')
          await owner.query(mend).catch((error) => assert.notEqual(error.code, '42601', error))
          await owner.query('rollback')
        }
        assert.doesNotMatch(withoutTexts(mends), /drop table kept/)
      })
    }),
    {
      numRuns: 25,
      examples: [
        ['a\n; drop table kept.canary; --'],
        ['a\r; drop table kept.canary; --'],
        ['a\n\\! touch x\n'],
        ['\n'],
      ],
    },
  )
})

/** What Postgres' scanner takes for SQL: without comments, literals and quoted names. */
const withoutTexts = (sql: string): string =>
  sql.replaceAll(
    /--[^\n\r]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$\w*\$)[\s\S]*?\1/g,
    '',
  )

test('the number of ways through functions and policies does not matter', async () => {
  const ring = Array.from({ length: 120 }, (_, place) => {
    const called = (by: number) => `app.f${(place + by) % 120}()`
    return `create function app.f${place}() returns integer language plpgsql as 'begin return ${called(1)} + ${called(7)}; end';`
  })
  const tables = Array.from({ length: 40 }, (_, place) => {
    const others = Array.from({ length: place }, (_, n) => `id in (select id from app.t${n})`)
    return `create table app.t${place} (id integer primary key); alter table app.t${place} enable row level security;
      grant select on app.t${place} to webuser; create policy p on app.t${place} for select to webuser
        using (${others.join(' or ') || 'id = app.f0()'});`
  })
  await inSchema([...ring, ...tables].join('\n'), async () => {
    const started = performance.now()
    await lint('app')
    const { relations } = await expose('app')
    assert.equal(relations.length, 40)
    // Walking them all would take longer than anybody lives.
    assert.ok(performance.now() - started < 60_000)
  })
})

test('tables that all ask one another are refused, and that is found at once', async () => {
  const all = Array.from({ length: 30 }, (_, place) => place)
  const asks = all.map((place) => `id in (select id from app.t${place})`).join(' or ')
  const tables = all.map(
    (place) =>
      `create table app.t${place} (id integer primary key); alter table app.t${place} enable row level security;
       grant select on app.t${place} to webuser;`,
  )
  const policies = all.map(
    (place) => `create policy p on app.t${place} for select to webuser using (${asks});`,
  )
  await inSchema([...tables, ...policies].join('\n'), async () => {
    const { findings } = await lint('app')
    assert.ok(findings.some(({ rule }) => rule === 'policy-recursion'))
    const { relations } = await expose('app')
    for (const { access } of relations)
      for (const { allowed, refused } of access) {
        assert.equal(allowed, false)
        assert.match(refused[0]?.reason ?? '', /infinite recursion/)
      }
  })
})

test('what is nested too deep is said to be unread', async () => {
  const deep = Array.from({ length: 3000 }, () => 'body').join(' || ')
  await inSchema(
    `create table app.t (id integer primary key, body text); alter table app.t enable row level security;
     grant select on app.t to webuser;
     create policy deep on app.t for select to webuser using (${deep} = 'x')`,
    async () => {
      const says = 'what is deepest in policy deep on app.t: it is nested too deep to be read'
      assert.ok((await lint('app')).unseen.includes(says))
      assert.ok((await expose('app')).unseen.includes(says))
    },
  )
})

test('a limit for whole transactions does not end it', async () => {
  await inSchema('create table app.t (id integer primary key)', async () => {
    const { rows } = await owner.query(
      `select set_config('transaction_timeout', '200ms', false) from pg_settings where name = 'transaction_timeout'`,
    )
    await lint('app')
    await expose('app')
    if (rows.length > 0) await owner.query('reset transaction_timeout')
  })
})

test('a lock that a migration holds is named as such', async () => {
  await inSchema('create view app.v as select 1 as id', async () => {
    const migration = new pg.Client({ connectionString: database.url })
    await migration.connect()
    await migration.query('begin; lock table app.v in access exclusive mode')
    await assert.rejects(lint('app'), /a migration that is under way.*Run this again/)
    await migration.query('rollback')
    await migration.end()
  })
})

test('an empty schema that requests may make things in', async () => {
  await inSchema('grant create on schema app to webuser', async () => {
    const { findings } = await lint('app')
    assert.ok(
      findings.some(
        ({ rule, object }) =>
          rule === 'schema-open-to-role-of-requests' && object === 'grant to webuser on schema app',
      ),
    )
    assert.deepEqual((await expose('app')).schemas[0]?.creatable_by, ['webuser'])
  })
})

test('settings of the server and schemas to be made are of the map, and compared', async () => {
  await inSchema('', async () => {
    const before = await expose('app')
    const after = structuredClone(before)
    after.parameters.push({
      name: 'session_replication_role',
      access: [{ role: 'webuser', actions: ['set'] }],
    })
    for (const role of after.roles) role.creates_schemas = role.name === 'webuser'
    const { opened } = compareExposures(before, after, () => [])
    assert.deepEqual(
      opened.map(({ what, role, object, action }) => [what, role, object, action]),
      [
        ['role', 'webuser', 'webuser', 'makes schemas'],
        ['parameter', 'webuser', 'session_replication_role', 'set'],
      ],
    )
    // A map of an earlier version says nothing of either.
    const { parameters: _, ...earlier } = before
    for (const role of earlier.roles) delete (role as Partial<typeof role>).creates_schemas
    const { opened: none, not_compared } = compareExposures(
      earlier as typeof before,
      after,
      () => [],
    )
    assert.deepEqual([none, not_compared], [[], ['parameters']])
  })
})
