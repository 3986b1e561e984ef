/** `pie lint` over schemas of every shape: it finds exactly what was planted, and what it says mends it. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { mendsInOrder } from '../../advisor/src/cli/mends-in-order.ts'
import type { Finding } from '../../advisor/src/lint/finding.ts'
import { lintDatabase } from '../../advisor/src/lint/lint-database.ts'
import { rules } from '../../advisor/src/lint/rules.ts'
import { weights } from '../../advisor/src/lint/weight.ts'
import { namesOfPie } from '../../server/src/edge/cli/advised.ts'
import { testSecretKey } from '../harness/cluster.ts'
import { type LintedDatabase, lintedDatabases, run } from '../harness/lint/linted-databases.ts'
import { type Names, plainNames, schemaAlone, weirdNames } from '../harness/lint/names.ts'
import type { Expected, PlantedFault } from '../harness/lint/planted-fault.ts'
import { plantedFaults } from '../harness/lint/planted-faults.ts'
import { soundShapes } from '../harness/lint/sound-shapes.ts'
import { makeDataDirectory, runPie } from '../harness/process.ts'

const bothNames = (family: string): [Names, Names] => [
  plainNames(family.replaceAll(' ', '_')),
  weirdNames(`Some ${family}`),
]
const weightOf = new Map(
  // Rules that are still a query have no weight of their own.
  rules.map((rule) => [rule.name, 'weight' in rule ? rule.weight : 'hole']),
)
const namesOf = (findings: readonly Finding[]) =>
  findings.map(({ weight, rule, object }) => `${weight} ${rule}: ${object}`).sort()

/** A family's faults under both kinds of names, as far as they can be planted in this database. */
const faultsFor = (faults: readonly PlantedFault[], names: [Names, Names], isShared: boolean) =>
  names.flatMap(({ fill }, place) =>
    faults
      .filter(({ isOnce, onOwnServer }) => place === 0 || (!isOnce && onOwnServer === undefined))
      .filter(({ onOwnServer, asSuperuser }) =>
        isShared ? onOwnServer === undefined : asSuperuser === undefined,
      )
      .map((fault) => ({ ...fault, fill })),
  )

/** What is to be found of faults on a version of Postgres. */
const expectedOf = (faults: ReturnType<typeof faultsFor>, version: number) =>
  faults.flatMap(({ also = [], fill, ...fault }) =>
    [fault as Expected, ...also]
      .filter(
        ({ from = 0, below = Number.POSITIVE_INFINITY }) => version >= from && version < below,
      )
      .map(({ rule, object, weight = weightOf.get(rule), isByHand, brings = [] }) => ({
        name: `${weight} ${rule}: ${fill(object)}`,
        isByHand: isByHand === true,
        brings: brings.map((brought) => `${brought.rule}: ${fill(brought.object)}`),
      })),
  )

for (const [which, openDatabase] of Object.entries(lintedDatabases))
  describe(`pie lint on ${which}`, () => {
    let database: LintedDatabase
    let owner: pg.Client
    let version: number
    const directory = makeDataDirectory()
    before(async () => {
      database = await openDatabase()
      owner = new pg.Client({ connectionString: database.url })
      await owner.connect()
      const { rows } = await owner.query('show server_version_num')
      version = rows[0].server_version_num / 10_000
    })
    after(async () => {
      await owner.end()
      await database.drop()
      directory.remove()
    })

    const lint = (schemas: readonly string[] | null) =>
      lintDatabase(owner, { schemas, acceptances: [], least: 'style', names: namesOfPie })
    const lintAsCommand = (schemas: readonly string[]) =>
      runPie(['lint', '--json', ...schemas.flatMap((schema) => ['--schema', schema])], {
        DATABASE_URL: database.url,
        SECRET_KEY: testSecretKey,
        DATA_DIR: directory.path,
      })
    const dropSchemas = async (names: readonly Names[]) => {
      for (const { fill } of names) await owner.query(fill('drop schema {s} cascade'))
    }

    for (const [family, planted] of Object.entries(plantedFaults))
      describe(`of ${family}`, () => {
        const names = bothNames(family)
        const schemas = [...names.map(({ schema }) => schema), 'pie_hooks']
        let faults: ReturnType<typeof faultsFor>
        let expected: ReturnType<typeof expectedOf>
        const look = async () => (await lint(schemas)).findings
        const leftByHand = () =>
          expected
            .filter(({ isByHand }) => isByHand)
            .map(({ name }) => name)
            .sort()
        before(async () => {
          faults = faultsFor(planted, names, database.superuserUrl === null)
          expected = expectedOf(faults, version)
          for (const { fill } of names) await owner.query(fill(schemaAlone))
          for (const { rule, sql, onOwnServer, fill } of faults) {
            if (onOwnServer !== undefined) await run(database.superuserUrl ?? '', fill(onOwnServer))
            await owner
              .query(fill(sql))
              .catch((error) => assert.fail(`${rule}: ${error.message}\n${fill(sql)}`))
          }
        })
        after(async () => {
          await dropSchemas(names)
          for (const { cleanUp, fill } of faults)
            if (cleanUp !== undefined)
              await run(database.superuserUrl ?? database.url, fill(cleanUp))
        })

        test('finds exactly the faults that were planted', async () => {
          const findings = await look()
          assert.deepEqual(namesOf(findings), expected.map(({ name }) => name).sort())
          for (const { why, mend, weight } of findings)
            assert.ok(why.length > 40 && mend !== '' && weights.includes(weight))
        })

        test('its mends, run by the owner, leave no finding, and bring none', async () => {
          if (database.superuserUrl === null) await mendRuleByRule()
          else await mendAtOnce()
          assert.deepEqual(namesOf(await look()), leftByHand())
        })

        /** As whoever reads a report from its top does; after each rule it is looked anew. */
        async function mendRuleByRule() {
          let found = await look()
          for (const { name } of rules) {
            const mends = found.filter(({ rule }) => rule === name)
            if (mends.length === 0) continue
            for (const { mend } of mends)
              await owner
                .query(mend)
                .catch((error) => assert.fail(`${name}: ${error.message}\n${mend}`))
            const before = namesOf(found)
            found = await look()
            assertNothingNew(before, found, name)
          }
        }

        /** All mends of one report as `--mends` prints them, all or none; twice, because some bring something to light. */
        async function mendAtOnce() {
          const found = await look()
          await runAtOnce(found)
          const left = await look()
          assertNothingNew(namesOf(found), left, 'all')
          await runAtOnce(left)
        }

        function assertNothingNew(before: string[], found: readonly Finding[], mended: string) {
          const brought = expected.flatMap(({ brings }) => brings)
          for (const { rule, object, weight } of found)
            assert.ok(
              before.includes(`${weight} ${rule}: ${object}`) ||
                brought.includes(`${rule}: ${object}`),
              `mending ${mended} brought ${rule}: ${object}`,
            )
        }

        async function runAtOnce(found: readonly Finding[]) {
          const batch = mendsInOrder(found)
          await owner.query(`begin;\n${batch}\n;commit`).catch(async (error) => {
            await owner.query('rollback')
            assert.fail(`${error.message}\n${batch}`)
          })
        }
      })

    for (const [family, shapes] of Object.entries(soundShapes))
      test(`finds nothing in a sound ${family}`, async () => {
        const names = bothNames(`sound ${family}`)
        for (const { fill } of names) await owner.query(fill(shapes))
        const { findings } = await lint(names.map(({ schema }) => schema))
        await dropSchemas(names)
        assert.deepEqual(namesOf(findings), [])
      })

    test('finds nothing in Pie, and the command ends with 0', async () => {
      const schemas = ['pie_schema', 'pie_private']
      assert.deepEqual(namesOf((await lint(schemas)).findings), [])
      const { code, stdout } = await lintAsCommand(schemas)
      assert.deepEqual(JSON.parse(stdout).findings, [])
      assert.equal(code, 0)
    })

    test('without --schema looks at every schema but those of Postgres', async () => {
      await owner.query(
        'create schema "All"; create table "All".notes (id integer); grant select on "All".notes to webuser',
      )
      const { schemas, findings } = await lint(null)
      await owner.query('drop schema "All" cascade')
      const others = database.superuserUrl === null ? [] : ['theirs']
      const all = ['All', 'pie_hooks', 'pie_private', 'pie_schema', 'public', ...others]
      assert.deepEqual([...schemas].sort(), all)
      const found = findings.map(({ object }) => object)
      assert.ok(found.includes('table "All".notes'))
      assert.ok(others.every((schema) => found.includes(`table ${schema}.diary`)))
      assert.deepEqual(
        found.filter((object) => !/"All"|theirs/.test(object)),
        [],
      )
    })

    // Roles are the server's: only on one that is this test's own.
    test('a role that a role of requests is a member of, on whatever path, is one too', async (t) => {
      if (database.superuserUrl === null) return t.skip('the server is not this test’s own')
      await owner.query(`
        create role near; create role far; create role beyond;
        grant far to near; grant near to webuser; grant webuser to beyond; grant near to plain_owner;
        create schema owned; comment on schema owned is 'Owned.'; create sequence owned.numbers;
        grant create on schema owned to far; grant create on schema owned to beyond;
        grant create on database plain_owner to near;
        alter schema owned owner to near`)
      const found = namesOf((await lint(['owned'])).findings)
      for (const name of [
        'hole owned-by-role-of-requests: schema owned',
        'hole schema-open-to-role-of-requests: grant to far on schema owned',
      ])
        assert.ok(found.includes(name), found.join('\n'))
      assert.ok(!found.some((name) => name.includes('beyond')))
      await owner.query(
        'drop schema owned cascade; revoke create on database plain_owner from near; drop role near, far, beyond',
      )
    })
  })

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
  const planted = Object.values(plantedFaults).flat()
  // Takes a week of counting to plant: lint-cost.test.ts.
  const elsewhere = ['index-unused']
  const rulesPlanted = new Set([...planted.map(({ rule }) => rule), ...elsewhere])
  assert.deepEqual([...rulesPlanted].sort(), [...names].sort())
  assert.equal(new Set(names).size, names.length)
  for (const [family, faults] of Object.entries(plantedFaults)) {
    const objects = faults.map(({ rule, object }) => `${rule}: ${object}`)
    assert.equal(new Set(objects).size, objects.length, family)
  }
})
