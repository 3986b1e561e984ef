import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  credentialOf,
  openPeopledDatabase,
  type PeopledDatabase,
  type Person,
} from '../../database/test/people.ts'
import type { Statement } from '../../server/src/ground/database/pipeline.ts'
import type { Database, Row } from '../../server/src/ground/database/pool.ts'
import { requestTransaction } from '../../server/src/ground/database/request-transaction.ts'

/** CVE-2024-10976: a plan that was made for one role is run for another, with the first one's policies. */
let db: PeopledDatabase
before(async () => {
  db = await openPeopledDatabase()
  await db.owner.query(
    `create function public.all_ids() returns setof uuid language sql stable
       begin atomic; select id from pie_schema.users; end;
     create function public.all_ids_in_plpgsql() returns setof uuid language plpgsql stable as
       $$ begin return query select id from pie_schema.users; end $$;
     create view public.all_users with (security_invoker = true) as select id from pie_schema.users;
     grant execute on function public.all_ids(), public.all_ids_in_plpgsql() to webuser;
     grant select on public.all_users to webuser`,
  )
})
after(() => db.close())

/** Ways to read everybody, each of which keeps a plan on the connection. */
const readers: Record<string, string> = {
  'a table': 'select id from pie_schema.users',
  'a table below a common table expression': `with u as materialized (select * from pie_schema.users) select id from u`,
  'a table in a subquery': `select (select array_agg(id) from pie_schema.users) as ids`,
  'a join below an aggregate': `select count(*) as ids, array_agg(distinct users.id) from pie_schema.users
    join pie_schema.user_emails on user_id = users.id`,
  'a view': 'select id from public.all_users',
  'an inlined function': 'select all_ids as id from public.all_ids()',
  'a function in plpgsql': 'select all_ids_in_plpgsql as id from public.all_ids_in_plpgsql()',
}

/** The users that a person sees with a statement that is prepared once on the only connection. */
async function seenBy(requests: Database, person: Person, statement: Statement): Promise<string[]> {
  const [rows = []] = await requestTransaction(requests, credentialOf(person), statement)
  const text = JSON.stringify(rows as Row[])
  return [db.ada, db.grace, db.dorothy]
    .filter(({ id }) => text.includes(id))
    .map(({ email }) => email)
}

for (const [what, text] of Object.entries(readers)) {
  test(`a plan of ${what} is never run with the policies of another role, in either order`, async () => {
    const everybody = [db.ada.email, db.grace.email, db.dorothy.email]
    const expected = (person: Person) => (person === db.dorothy ? everybody : [person.email])
    for (const order of [
      [db.ada, db.dorothy],
      [db.dorothy, db.ada],
    ]) {
      const requests = db.openRequests(1)
      const statement = { name: 'read_users', text, values: [] }
      // More than five times: Postgres then keeps one plan for all parameters.
      for (let round = 0; round < 8; round++) {
        for (const person of [...order, db.grace]) {
          assert.deepEqual(await seenBy(requests, person, statement), expected(person))
        }
      }
      const { rows } = await db.owner.query(
        `select count(*)::int as count from pg_stat_activity
         where usename = 'cream' and datname = current_database() and application_name = 'pie'`,
      )
      assert.equal(rows[0].count, 1, 'all of it was one connection')
      await requests.pool.end()
    }
  })
}

test('a statement that is prepared before the role is taken is planned for the role that runs it', async () => {
  const client = await db.connectAs('cream')
  const prove = async ({ session }: Person) =>
    client.query('select pie_private.authenticate($1, $2)', [session.id, session.proof])
  for (const mode of ['force_generic_plan', 'force_custom_plan']) {
    await client.query(`set plan_cache_mode = ${mode}`)
    for (const [person, count] of [
      [db.dorothy, 3],
      [db.ada, 1],
      [db.dorothy, 3],
    ] as const) {
      await client.query('begin')
      await prove(person)
      const { rows } = await client.query({ name: 'all', text: 'select id from pie_schema.users' })
      assert.equal(rows.length, count)
      await client.query('commit')
    }
  }
})
