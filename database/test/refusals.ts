/** Asserts that something was refused, and that the refusal left everything as it was. */
import assert from 'node:assert/strict'
import pg from 'pg'

export const insufficientPrivilege = '42501'
export const invalidAuthorization = '28000'
export const checkViolation = '23514'
export const uniqueViolation = '23505'

/** Everything that Pie keeps in a database, and who may log in: equal before and after a refusal. */
export async function contentsOf(owner: pg.ClientBase): Promise<Record<string, string>> {
  const { rows: tables } = await owner.query<{ name: string }>(
    `select format('%I.%I', nspname, relname) as name
     from pg_class join pg_namespace on pg_namespace.oid = relnamespace
     where nspname in ('pie_schema', 'pie_private', 'pie_hooks', 'public', 'notes') and relkind in ('r', 'p') and not relispartition
     order by 1`,
  )
  const contents: Record<string, string> = {}
  for (const { name } of tables) {
    const { rows } = await owner.query<{ content: string }>(
      `select coalesce(jsonb_agg(t order by t::text), '[]')::text as content from ${name} as t`,
    )
    contents[name] = rows[0]?.content ?? ''
  }
  return contents
}

/** Runs something that must change nothing. */
export async function assertNothingChanges<T>(
  owner: pg.ClientBase,
  work: () => Promise<T>,
): Promise<T> {
  const before = await contentsOf(owner)
  const result = await work()
  assert.deepEqual(await contentsOf(owner), before)
  return result
}

/** Runs something that Postgres must refuse with this SQLSTATE, changing nothing. */
export async function assertRefused(
  owner: pg.ClientBase,
  sqlState: string | readonly string[],
  work: () => Promise<unknown>,
  message?: string,
): Promise<void> {
  await assertNothingChanges(owner, async () => {
    const outcome = await work().then(
      () => 'no refusal',
      (error) => (error instanceof pg.DatabaseError ? error.code : error),
    )
    const expected = typeof sqlState === 'string' ? [sqlState] : sqlState
    assert.ok(
      expected.includes(outcome as string),
      `${message ?? 'it'}: ${outcome} in place of ${expected}`,
    )
  })
}
