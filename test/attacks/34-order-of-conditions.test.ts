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

/** Whether a condition has been true of a row, be it hidden or not. */
async function isTrueOfSome(condition: string, role: string): Promise<boolean> {
  const answers = await notes.run(
    notes.ada,
    'query',
    `set local role ${role}`,
    `select set_config('enable_indexscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
       set_config('loot.seen', 'no', true)`,
    `select count(*) from notes.notes
     where case when ${condition} then set_config('loot.seen', 'yes', true) end is null`,
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

test('without the policy that comes first it does', async () => {
  await notes.owner.query('alter policy notes_first on notes.notes using (true)')
  for (const role of roles)
    assert.ok((await guess(begin, role, 10)).length > 7, `nothing was found out as ${role}`)
})
