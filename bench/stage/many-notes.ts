import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { asOwner } from '../../server/src/ground/database/prepare-database.ts'
import type { Stage } from './set-stage.ts'

const NOTES = 1_000_000

/**
 * A table as an application would have it: a million notes, shared out among all users, each of whom sees
 * their own.
 *
 * @returns where a role connects that has the same grant, and whom no policy binds
 */
export async function makeManyNotes({
  accounts,
  ownerUrl,
  say,
}: Pick<Stage, 'accounts' | 'ownerUrl' | 'say'>): Promise<Secret> {
  say(`making ${NOTES.toLocaleString('en')} notes`)
  const password = randomBytes(24).toString('base64url')
  await asOwner(ownerUrl, async (owner) => {
    await makeTable(owner)
    await owner.query(`create role bench_reader login bypassrls password '${password}'`)
    await owner.query('grant usage on schema bench_notes to bench_reader')
    await owner.query('grant select on bench_notes.notes to bench_reader')
    await makeView(owner)
    await owner.query(
      // In the order in which they were written: those of one owner lie far apart.
      `insert into bench_notes.notes (owner, title, created_at)
       select users.id, 'What ' || users.name || ' wrote down, number ' || n,
         now() - random() * interval '1 year' as written_at
       from pie_schema.users, generate_series(1, $1::integer) as counted (n)
       order by written_at`,
      [Math.ceil(NOTES / accounts.length)],
    )
    await owner.query('create index on bench_notes.notes (owner, created_at desc)')
    await owner.query('vacuum analyze bench_notes.notes')
    await owner.query('checkpoint')
  })
  const url = new URL(ownerUrl.revealText())
  url.username = 'bench_reader'
  url.password = password
  return Secret.fromText(url.href)
}

async function makeTable(owner: pg.ClientBase): Promise<void> {
  await owner.query(`
    create schema bench_notes;
    create table bench_notes.notes (
      id         uuid primary key default gen_random_uuid(),
      owner      uuid not null default pie_schema.current_user_id(),
      title      text not null,
      created_at timestamptz not null default now()
    );
    alter table bench_notes.notes enable row level security;
    create policy notes_own on bench_notes.notes
      for select to webuser using (owner = (select pie_schema.current_user_id()));
    grant usage on schema bench_notes to webuser;
    grant select on bench_notes.notes to webuser`)
}

/** The same rows past the policies, for the same role: a view asks with its owner's rights. */
async function makeView(owner: pg.ClientBase): Promise<void> {
  await owner.query(`
    create view bench_notes.notes_of_all as select * from bench_notes.notes;
    alter view bench_notes.notes_of_all owner to bench_reader;
    grant select on bench_notes.notes_of_all to webuser`)
}
