/** CVE-2018-1058: what somebody has made in a schema on the path is not what the advisor's own statements find. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { explainAccess } from '../../advisor/src/explain/explain-access.ts'
import { subjectOfRole } from '../../advisor/src/explain/subject-of-role.ts'
import { readExposure } from '../../advisor/src/exposure/read-exposure.ts'
import { lintDatabase } from '../../advisor/src/lint/lint-database.ts'
import { noNames } from '../../advisor/src/names.ts'
import { createEmptyDatabase, type TestDatabase } from '../harness/cluster.ts'

let database: TestDatabase
let owner: pg.Client
before(async () => {
  database = await createEmptyDatabase()
  owner = new pg.Client({ connectionString: database.url })
  await owner.connect()
  // A sequence counts what no rollback takes back. Each stands in for something of pg_catalog that would need a cast.
  await owner.query(`
    create sequence public.sprung;
    create function public.pg_has_role(name, text, text) returns boolean language sql as
      $$ select nextval('public.sprung') is not null $$;
    create function public.quote_ident(name) returns text language sql as
      $$ select nextval('public.sprung')::text $$;
    create function public.oid_is(oid, regclass) returns boolean language sql as
      $$ select nextval('public.sprung') is null or $1 operator(pg_catalog.=) $2::oid $$;
    create operator public.= (leftarg = oid, rightarg = regclass, function = public.oid_is);
    create function public.name_is(name, text) returns boolean language sql as
      $$ select nextval('public.sprung') is null or $1::text operator(pg_catalog.=) $2 $$;
    create table public.notes (id integer primary key);
    alter table public.notes enable row level security;
    create policy everybody on public.notes using (true);
    grant select on public.notes to public;
    insert into public.notes values (1)`)
})
after(async () => {
  await owner?.end()
  await database?.drop()
})

const sprung = async (): Promise<boolean> =>
  (await owner.query('select is_called from public.sprung')).rows[0].is_called

test('lint, exposure and explain run nothing that stands in public', async () => {
  const question = { table: 'notes', action: 'select', row: '1', set: null } as const
  const explanation = await explainAccess(owner, subjectOfRole('pg_monitor', {}), question)
  assert.equal(explanation.verdict, 'yes')
  assert.equal(await sprung(), false, 'by explain')
  await readExposure(owner, { schemas: ['public'], roles: null })
  await readExposure(owner, { schemas: ['public'], roles: ['pg_monitor'] })
  assert.equal(await sprung(), false, 'by exposure')
  await lintDatabase(owner, { schemas: null, acceptances: [], names: noNames })
  assert.equal(await sprung(), false, 'by lint')
  await owner.query(`select pg_has_role(session_user, 'pg_monitor'::text, 'member'::text)`)
  assert.equal(await sprung(), true, 'the trap works')
})
