/** What `pie lint` says of failing statements and of telling keys is what Postgres does, on the lowest version and the newest. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { findSettingCalls } from '../../advisor/src/lint/expressions/setting-calls.ts'
import { faultsOfFailures } from '../harness/lint/faults-of-failures.ts'
import { faultsOfLeaks } from '../harness/lint/faults-of-leaks.ts'
import { lintedDatabases } from '../harness/lint/linted-databases.ts'
import { plainNames, schemaAlone } from '../harness/lint/names.ts'
import { soundFailures } from '../harness/lint/sound-failures.ts'

const recursion = '42P17'
const fullStack = '54001'
const refused = '42501'
const notThere = '42704'
const noNumber = '22P02'
const isNull = '23502'
const isTaken = '23505'
const overlaps = '23P01'
const noSuchRow = '23503'

/** For each planted fault what somebody sends, and the code with which it is refused. */
const failing: Record<string, [statement: string, code: string]> = {
  'policy {members_own} on {s}.{members}': ['select from {s}.{members}', recursion],
  'policy {readers_own} on {s}.{readers}': ['select from {s}.{letters}', recursion],
  'policy {roads_own} on {s}.{roads}': ['delete from {s}.{lands} where {id} = 1', recursion],
  'policy {deeds_own} on {s}.{deeds}': ['select from {s}.{deeds}', fullStack],
  'policy {turns_made} on {s}.{turns}': ['insert into {s}.{turns} ({id}) values (1)', recursion],
  'policy {pages_own} on {s}.{pages}': ['select from {s}.{pages}', refused],
  'policy {leaves_own} on {s}.{leaves}': ['select from {s}.{leaves}', refused],
  'policy {halves_own} on {s}.{halves}': ['select from {s}.{halves}', refused],
  'grant to webuser on view {s}.{shelf}': ['select from {s}.{shelf}', refused],
  'grant to webuser on view {s}.{calls}': ['select {id} from {s}.{calls}', refused],
  'grant to webuser on view {s}.{one_of_two}': ['select {id} from {s}.{one_of_two}', refused],
  'grant to webuser on table {s}.{blind}': [
    'update {s}.{blind} set {body} = null where {id} = 1',
    refused,
  ],
  'grant to webuser on table {s}.{cut}': ['delete from {s}.{cut} where {id} = 1', refused],
  'grant to webuser on table {s}.{unseen}': ['delete from {s}.{unseen} where {id} = 1', refused],
  'grant to webuser on table {s}.{half_written}': [
    `insert into {s}.{half_written} ({id}, {body}) values (1, '')`,
    isNull,
  ],
  'grant to webuser on table {s}.{keyless}': [
    'insert into {s}.{keyless} ({owner_id}) values (null)',
    isNull,
  ],
  'grant to webuser on table {s}.{only_made}': [
    `insert into {s}.{only_made} ({body}) values ('')`,
    isNull,
  ],
  'grant to webuser on table {s}.{bills}': [
    'insert into {s}.{bills} ({owner_id}) values (null)',
    refused,
  ],
  'grant to webuser on table {s}.{insert_idle}': [
    'insert into {s}.{insert_idle} ({id}) values (1)',
    refused,
  ],
  'policy {delete_by_users} on {s}.{delete_unheard}': [
    'delete from {s}.{delete_unheard} where {id} = 1',
    refused,
  ],
  'policy {by_setting_own} on {s}.{by_setting}': ['select from {s}.{by_setting}', notThere],
  'policy {by_number_own} on {s}.{by_number}': ['select from {s}.{by_number}', noNumber],
  'function {s}.{asker}()': ['select from {s}.{by_asker}', noNumber],
  'constraint {taken_0} on {s}.{named_0}': [
    `insert into {s}.{named_0} ({id}, {mark}) values (2, 'a')`,
    isTaken,
  ],
  'index {s}.{lower_key}': [`insert into {s}.{lowered} ({id}, {mail}) values (2, 'A')`, isTaken],
  'constraint {apart} on {s}.{booked}': [
    `insert into {s}.{booked} ({id}, {day}) values (2, '[2026-01-01,2026-01-03)')`,
    overlaps,
  ],
  'foreign key {hung_0} on {s}.{hanging_0}': [
    'insert into {s}.{hanging_0} ({id}, {hook_id}) values (1, 7)',
    noSuchRow,
  ],
}

/** Rows of somebody else's, and what lets a statement come as far as the constraint. */
const preparing = `
  insert into {s}.{named_0} ({id}, {mark}) values (1, 'a');
  insert into {s}.{lowered} ({id}, {mail}) values (1, 'a');
  insert into {s}.{booked} ({id}, {day}) values (1, '[2026-01-02,2026-01-05)');
  insert into {s}.{by_number} values (1); insert into {s}.{by_setting} values (1);
  insert into {s}.{by_asker} values (1); insert into {s}.{deeds} values (1);
  grant delete on {s}.{lands} to webuser; grant insert ({id}, {mail}) on {s}.{lowered} to webuser;
  create policy {lands_gone} on {s}.{lands} for delete to webuser using (true);
  create policy {open} on {s}.{deeds} for select to webuser using ({s}.{is_in}({id}));
  create policy {open} on {s}.{half_written} for insert to webuser with check (true);
  create policy {open} on {s}.{keyless} for insert to webuser with check (true);
  create policy {open} on {s}.{only_made} for insert to webuser with check (true);
  create policy {open} on {s}.{bills} for insert to webuser with check (true);
  create policy {open} on {s}.{named_0} for insert to webuser with check (true);
  create policy {open} on {s}.{lowered} for insert to webuser with check (true);
  create policy {open} on {s}.{booked} for insert to webuser with check (true);
  create policy {open} on {s}.{hanging_0} for insert to webuser with check (true);`

/** What is sent in the sound schema, and is refused by nothing. */
const working = [
  'select from {s}.{members}',
  'select from {s}.{readers}',
  'delete from {s}.{letters} where {id} = 1',
  'select from {s}.{mine}',
  'insert into {s}.{turns} ({id}) values (1)',
  'insert into {s}.{counted} ({id}) values (1)',
  'insert into {s}.{serials} ({owner_id}) values (null)',
  'insert into {s}.{filled} ({id}) values (1)',
]
const opened = ['turns', 'counted', 'serials', 'filled']
  .map((name) => `create policy {open} on {s}.{${name}} for insert to webuser with check (true);`)
  .join('\n')

for (const which of [
  'the embedded Postgres, as superuser',
  'a Postgres 15, as an owner who is no superuser',
])
  describe(`on ${which}`, () => {
    let owner: pg.Client
    let drop: () => Promise<void>
    const faulty = plainNames('failing')
    const sound = plainNames('working')
    before(async () => {
      const database = await (lintedDatabases[which] ?? assert.fail(which))()
      drop = () => database.drop()
      owner = new pg.Client({ connectionString: database.url })
      await owner.connect()
      await owner.query(faulty.fill(schemaAlone))
      for (const { sql, onOwnServer } of [...faultsOfFailures, ...faultsOfLeaks])
        if (onOwnServer === undefined) await owner.query(faulty.fill(sql))
      await owner.query(faulty.fill(preparing))
      await owner.query(sound.fill(soundFailures + opened))
    })
    after(async () => {
      await owner.end()
      await drop()
    })

    const codeOf = async (statement: string): Promise<string> => {
      await owner.query(`begin; set local app.user_id = ''; set local role webuser`)
      const code = await owner.query(statement).then(
        () => 'none',
        (error) => error.code,
      )
      await owner.query('rollback')
      return code
    }

    test('what is found to fail fails, and a key that is found to tell tells', async () => {
      const found: Record<string, string> = {}
      const expected: Record<string, string> = {}
      for (const [object, [statement, code]] of Object.entries(failing)) {
        found[object] = await codeOf(faulty.fill(statement))
        expected[object] = code
      }
      assert.deepEqual(found, expected)
    })

    test('what is not found to fail does not', async () => {
      for (const statement of working)
        assert.equal(await codeOf(sound.fill(statement)), 'none', statement)
    })
  })

test('every fault that is shown to fail is one that is planted', () => {
  const planted = [...faultsOfFailures, ...faultsOfLeaks].map(({ object }) => object)
  for (const object of Object.keys(failing)) assert.ok(planted.includes(object), object)
})

test('a setting is asked for so that it may be missing or empty', () => {
  const mended = (text: string) => findSettingCalls(text, (name) => name === 'jwt.sub').mended
  for (const [text, expected] of [
    ["current_setting('app.id'::text)", "current_setting('app.id'::text, true)"],
    [
      "(owner = (current_setting('app.id'::text))::uuid)",
      "(owner = (nullif(current_setting('app.id'::text, true), ''))::uuid)",
    ],
    [
      "((current_setting('app.claims'::text, true))::json ->> 'sub'::text)",
      "((nullif(current_setting('app.claims'::text, true), ''))::json ->> 'sub'::text)",
    ],
    ["current_setting('app.id', true)::uuid", "nullif(current_setting('app.id', true), '')::uuid"],
  ] as const)
    assert.equal(mended(text), expected)
  for (const text of [
    "current_setting('app.id'::text, true)",
    "(current_setting('app.id'::text, true))::text",
    "(NULLIF(current_setting('app.id'::text, true), ''::text))::uuid",
    "(current_setting('work_mem'::text))::text",
    "(current_setting('jwt.sub'::text))::uuid",
  ])
    assert.equal(mended(text), text)
})
