import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql as drizzleSql, eq } from 'drizzle-orm'
import { pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { type Generated, sql } from 'kysely'
import {
  credentialOf,
  guessedProof,
  openPeopledDatabase,
  type PeopledDatabase,
} from '../../../../database/test/people.ts'
import { assertNothingChanges } from '../../../../database/test/refusals.ts'
import type { Database } from '../../ground/database/pool.ts'
import type { SessionCredential } from '../../ground/database/request-transaction.ts'
import { type SessionTransaction, withSession } from '../../ground/database/with-session.ts'
import { drizzleOn } from './drizzle.ts'
import { kyselyOn } from './kysely.ts'

interface Tables {
  notes: { id: Generated<string>; owner: Generated<string>; title: string }
}
const notes = pgTable('notes', {
  id: uuid().primaryKey().defaultRandom(),
  owner: uuid().notNull().default(drizzleSql`pie_schema.current_user_id()`),
  title: text().notNull(),
})

/** The same work, with each library. */
interface Library {
  add(tx: SessionTransaction, title: string): Promise<unknown>
  titles(tx: SessionTransaction): Promise<string[]>
  rename(tx: SessionTransaction, from: string, to: string): Promise<number>
  raw(tx: SessionTransaction, text: string): Promise<unknown>
  nested(tx: SessionTransaction): Promise<unknown>
}
const libraries: Record<string, Library> = {
  Kysely: {
    add: (tx, title) => kyselyOn<Tables>(tx).insertInto('notes').values({ title }).execute(),
    titles: async (tx) => {
      const rows = await kyselyOn<Tables>(tx).selectFrom('notes').select('title').execute()
      return rows.map(({ title }) => title)
    },
    rename: async (tx, from, to) => {
      const { numUpdatedRows } = await kyselyOn<Tables>(tx)
        .updateTable('notes')
        .set({ title: to })
        .where('title', '=', from)
        .executeTakeFirstOrThrow()
      return Number(numUpdatedRows)
    },
    raw: (tx, text) => sql.raw(text).execute(kyselyOn(tx)),
    nested: (tx) =>
      kyselyOn<Tables>(tx)
        .transaction()
        .execute(async (inner) => inner.insertInto('notes').values({ title: 'nested' }).execute()),
  },
  Drizzle: {
    add: (tx, title) => drizzleOn(tx).insert(notes).values({ title }),
    titles: async (tx) =>
      (await drizzleOn(tx).select({ title: notes.title }).from(notes)).map(({ title }) => title),
    rename: async (tx, from, to) => {
      const { rowCount } = await drizzleOn(tx)
        .update(notes)
        .set({ title: to })
        .where(eq(notes.title, from))
      return rowCount ?? 0
    },
    raw: (tx, text) => drizzleOn(tx).execute(drizzleSql.raw(text)),
    nested: (tx) =>
      drizzleOn(tx).transaction(async (inner) => inner.insert(notes).values({ title: 'nested' })),
  },
}

let db: PeopledDatabase
let requests: Database
before(async () => {
  db = await openPeopledDatabase()
  await db.owner.query(`
    create table public.notes (
      id uuid primary key default gen_random_uuid(),
      owner uuid not null default pie_schema.current_user_id(),
      title text not null
    );
    alter table public.notes enable row level security;
    create policy notes_own on public.notes to webuser using (owner = (select pie_schema.current_user_id()));
    grant select on public.notes to webuser;
    grant insert (id, owner, title), update (title) on public.notes to webuser`)
  requests = db.openRequests(1)
})
after(() => db.close())

for (const [name, library] of Object.entries(libraries)) {
  describe(`${name} on a request transaction`, () => {
    before(() => db.owner.query('truncate public.notes'))
    const as = <T>(credential: SessionCredential, work: (tx: SessionTransaction) => Promise<T>) =>
      withSession(requests, credential, work)

    test('reads and writes as the session’s user, and nobody else’s rows', async () => {
      await as(credentialOf(db.ada), (tx) => library.add(tx, 'of ada'))
      await as(credentialOf(db.grace), async (tx) => {
        await library.add(tx, 'of grace')
        assert.deepEqual(await library.titles(tx), ['of grace'])
        assert.equal(await library.rename(tx, 'of ada', 'stolen'), 0)
        assert.equal(await library.rename(tx, 'of grace', 'renamed'), 1)
      })
      const { rows } = await db.owner.query('select title from public.notes order by title')
      assert.deepEqual(rows, [{ title: 'of ada' }, { title: 'renamed' }])
    })

    test('does nothing for a session that may not act', async () => {
      const forged = { sessionId: db.ada.session.id, proofs: [guessedProof()] }
      await assertNothingChanges(db.owner, () =>
        assert.rejects(as(forged, (tx) => library.add(tx, 'forged'))),
      )
    })

    test('keeps nothing of work that fails', async () => {
      await assertNothingChanges(db.owner, () =>
        assert.rejects(
          as(credentialOf(db.ada), async (tx) => {
            await library.add(tx, 'lost')
            await library.raw(tx, 'select 1 / 0')
          }),
        ),
      )
    })

    test('runs no second statement behind a semicolon', async () => {
      await assertNothingChanges(db.owner, () =>
        assert.rejects(
          as(credentialOf(db.ada), (tx) =>
            library.raw(tx, 'select 1; commit; reset role; delete from public.notes'),
          ),
        ),
      )
    })

    test('is told that it is inside a transaction, where it would begin another', async () => {
      await assertNothingChanges(db.owner, () =>
        assert.rejects(as(credentialOf(db.ada), library.nested), (error: Error) =>
          /inside a transaction already/.test(
            `${error.message} ${(error.cause as Error)?.message}`,
          ),
        ),
      )
    })
  })
}
