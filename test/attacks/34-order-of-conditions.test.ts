import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { canary, type InjectableNotes, openInjectableNotes } from '../harness/injectable-notes.ts'

/**
 * A limit of Postgres, and what keeps it. The planner counts a condition as leakproof if it hands no column to
 * a function that is not, and then sorts it among the policies by what it costs (order_qual_clauses). So
 * `title >= 'c'`, and after it a call that names no column and leaves a trace, may come before a policy
 * that costs more: the trace says whether there is such a title, and by halves says which.
 *
 * The restrictive policy notes_first costs less than any comparison, and so comes first of all.
 */
let notes: InjectableNotes
before(async () => {
  notes = await openInjectableNotes()
})
after(() => notes?.close())

const trace = `set_config('loot.seen', 'yes', true)`
/** Ways to leave a trace where a condition is true: they cost differently. */
const traces = [
  (condition: string) => `case when ${condition} then ${trace} end is null`,
  (condition: string) => `${condition} and ${trace} is not null`,
]

/** Whether a condition has been true of a row, be it hidden or not. */
async function isTrueOfSome(
  condition: string,
  role: string,
  table = 'notes.notes',
  indexes = 'off',
): Promise<boolean> {
  const answers = await notes.run(
    notes.ada,
    'query',
    `set local role ${role}`,
    `select set_config('enable_indexscan', '${indexes}', true),
       set_config('enable_bitmapscan', '${indexes}', true), set_config('loot.seen', 'no', true)`,
    ...traces.map((leave) => `select count(*) from ${table} where ${leave(condition)}`),
    `select 'trace: ' || current_setting('loot.seen') as trace`,
  )
  const seen = JSON.stringify(answers)
  assert.match(seen, /trace: (yes|no)/)
  return seen.includes('trace: yes')
}

/** The title that begins so, letter by letter. */
async function guess(begin: string, role: string, length: number): Promise<string> {
  let known = begin
  while (known.length < length) {
    let found = ''
    for (const next of 'abcdefghijklmnopqrstuvwxyz-0123456789 ') {
      const from = `${known}${next}`
      // Between these two is what begins with the first, whatever the collation.
      if (await isTrueOfSome(`title >= '${from}' and title < '${from}~~'`, role)) found = next
      if (found !== '') break
    }
    if (found === '') return known
    known += found
  }
  return known
}

const roles = ['webuser', 'webadmin']
const begin = canary.slice(0, 7)

test('SQL that leaves a trace finds out no hidden title', async () => {
  for (const role of roles) assert.equal(await guess(begin, role, 10), begin)
  assert.equal(await isTrueOfSome(`title >= 'Of' and title < 'Of~~'`, 'webuser'), true)
})

test('nor does it find out anything of other users', async () => {
  const { id } = notes.grace
  await notes.owner.query(`update pie_schema.users set name = 'Grace' where id = $1`, [id])
  // Between two comparisons, because Postgres moves an equality.
  const hidden = {
    'pie_schema.users': [`name >= 'Gr' and name < 'Gr~~'`, `id >= '${id}' and id <= '${id}'`],
    'pie_schema.user_emails': [`email >= 'grace' and email < 'grace~~'`],
    'pie_schema.user_roles': [
      `role >= 'admin' and role <= 'admin'`,
      `user_id >= '${id}' and user_id <= '${id}'`,
    ],
  }
  const told: string[] = []
  for (const role of roles) {
    for (const indexes of ['on', 'off']) {
      for (const [table, conditions] of Object.entries(hidden)) {
        for (const condition of conditions) {
          if (await isTrueOfSome(condition, role, table, indexes))
            told.push(`${role}, indexes ${indexes}: ${table} where ${condition}`)
        }
      }
      assert.equal(
        await isTrueOfSome(
          `email >= 'ada' and email < 'ada~~'`,
          role,
          'pie_schema.user_emails',
          indexes,
        ),
        true,
      )
    }
  }
  assert.deepEqual(told, [])
})

test('without the policy that comes first it does', async () => {
  await notes.owner.query('alter policy notes_first on notes.notes using (true)')
  for (const role of roles)
    assert.ok((await guess(begin, role, 10)).length > 7, `nothing was found out as ${role}`)
})
