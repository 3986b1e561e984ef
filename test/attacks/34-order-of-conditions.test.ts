import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { canary, type InjectableNotes, openInjectableNotes } from '../harness/injectable-notes.ts'

/**
 * A limit of Postgres, and what keeps it. The planner counts a condition as leakproof if it hands no column to
 * a function that is not, and then sorts it among the policies by what it costs (order_qual_clauses). So
 * `title >= 'c'`, and after it a call that names no column and leaves a trace, may come before a policy
 * that costs more: the trace says whether there is such a title, and by halves says which.
 *
 * A restrictive policy that costs less than any comparison comes first of all, and leaves no trace.
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

test('SQL that leaves a trace finds out a hidden title where a policy costs more than a comparison', async () => {
  const begin = canary.slice(0, 7)
  for (const role of ['webuser', 'webadmin'])
    assert.ok((await guess(begin, role, 10)).length > 7, `nothing was found out as ${role}`)
})

test('a restrictive policy that costs next to nothing comes first: no trace of what she may not read', async () => {
  await notes.owner.query(`
    create function notes.is(one uuid, other uuid) returns boolean
      language plpgsql immutable parallel safe cost 0.0001 set search_path = pg_catalog, pg_temp
      as $$ begin return one = other; end $$;
    create function notes.is_among(one uuid, others uuid[]) returns boolean
      language plpgsql immutable parallel safe cost 0.0001 set search_path = pg_catalog, pg_temp
      as $$ begin return one = any (others); end $$;
    create policy notes_first on notes.notes as restrictive to webuser using (
      notes.is(owner_id, (select pie_schema.current_user_id()))
      or notes.is_among(id, array (select notes.shared_with_me('read')))
      or (select pie_schema.has_role('admin'))
    )`)
  for (const role of ['webuser', 'webadmin'])
    assert.equal(await guess(canary.slice(0, 7), role, 10), canary.slice(0, 7))
  assert.equal(await isTrueOfSome(`title >= 'Of' and title < 'Of~~'`, 'webuser'), true)
  assert.deepEqual(await notes.ada.titles(), ['Of ada', 'Welcome'])
  assert.ok((await notes.dorothy.titles('/admin/notes')).includes('Of ada'))
})
