import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { assertNothingChanges } from '../../database/test/refusals.ts'
import type { User } from '../../examples/notes/test/open-notes.ts'
import { doors, type InjectableNotes, openInjectableNotes } from '../harness/injectable-notes.ts'
import { untilWaiting } from '../harness/nodes.ts'
import { type Answer, assertProblem } from '../harness/pie.ts'

/** Requests of examples/notes that are broken off, on one connection, and those that come after them. */
let notes: InjectableNotes
let blocker: pg.Client
let id: string
before(async () => {
  notes = await openInjectableNotes({
    settings: { DATABASE_CONNECTIONS: '1' },
    prepare: (owner, name) =>
      owner.query(`alter role cream in database ${name} set statement_timeout = '3s'`),
  })
  id = await notes.dorothy.write('Of dorothy')
  // Two ways to fail that no route expects: in the statement, and in the commit.
  await notes.owner.query(`
    create function notes.fail() returns trigger language plpgsql as $$
      begin raise exception 'not this title: %', new.title; end $$;
    create trigger fails_now before insert or update on notes.notes
      for each row when (new.title = 'Fail now') execute function notes.fail();
    create constraint trigger fails_late after insert or update on notes.notes
      deferrable initially deferred for each row when (new.title = 'Fail late') execute function notes.fail()`)
  blocker = new pg.Client({ connectionString: notes.databaseUrl })
  await blocker.connect()
})
after(async () => {
  await blocker?.end()
  await notes?.close()
})

const edit = (title: string, signal?: AbortSignal): Promise<Response> =>
  fetch(`${notes.address}/notes/${id}`, {
    method: 'PATCH',
    headers: {
      authorization: `Bearer ${notes.dorothy.token}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ title }),
    ...(signal && { signal }),
  })
const answerOf = async (response: Response): Promise<Answer> => ({
  status: response.status,
  headers: response.headers,
  body: await response.json(),
})

const waiting = `from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`

/** Holds the note's row while an edit of dorothy's, who is an admin, waits for it. */
async function whileItWaits<T>(work: () => Promise<T>): Promise<T> {
  await blocker.query('begin')
  await blocker.query('select from notes.notes where id = $1 for update', [id])
  try {
    return await work()
  } finally {
    await blocker.query('rollback')
  }
}

/** Whoever comes next is themselves, and nobody is an admin by the one who came before. */
async function assertNextIsThemselves(): Promise<void> {
  assert.ok(!(await notes.ada.titles('/admin/notes')).includes('Of dorothy'))
  assertProblem(await notes.ask('/notes'), 401, 'unauthenticated')
  const who = 'select pie_schema.current_user_id() as id, current_user::text as role'
  const [answer] = await notes.run(notes.ada, 'query', who)
  assert.deepEqual(answer, [[{ id: notes.ada.id, role: 'webuser' }]])
  const { rows: connections } = await notes.owner.query(
    `select distinct state from pg_stat_activity
     where datname = current_database() and usename = 'cream' and application_name = 'pie'`,
  )
  assert.deepEqual(connections, [{ state: 'idle' }])
}

describe('a request that is broken off keeps nothing, is told so, and leaves the connection clean', () => {
  test('cancelled', async () => {
    await assertNothingChanges(notes.owner, async () => {
      const answer = await whileItWaits(async () => {
        const editing = edit('Cancelled')
        await untilWaiting(notes.owner, 1)
        await notes.owner.query(`select pg_cancel_backend(pid) ${waiting}`)
        return answerOf(await editing)
      })
      assertProblem(answer, 503, 'timeout')
      assert.equal(answer.headers.get('retry-after'), '2')
    })
    await assertNextIsThemselves()
  })

  test('longer than statement_timeout', async () => {
    await assertNothingChanges(notes.owner, async () => {
      const answer = await whileItWaits(async () => answerOf(await edit('Too late')))
      assertProblem(answer, 503, 'timeout')
    })
    await assertNextIsThemselves()
  })

  test('its connection ended', async () => {
    await assertNothingChanges(notes.owner, async () => {
      const answer = await whileItWaits(async () => {
        const editing = edit('Ended')
        await untilWaiting(notes.owner, 1)
        await notes.owner.query(`select pg_terminate_backend(pid) ${waiting}`)
        return answerOf(await editing)
      })
      assertProblem(answer, 503, 'database_unavailable')
    })
    await assertNextIsThemselves()
  })

  test('failed in a statement, in the commit, or halfway', async () => {
    const { dorothy } = notes
    await assertNothingChanges(notes.owner, async () => {
      for (const title of ['Fail now', 'Fail late']) {
        const answers = [
          await answerOf(await edit(title)),
          await dorothy.ask('/notes', { body: { title } }),
        ]
        for (const answer of answers) assertProblem(answer, 422, 'refused_by_application')
        await assertNextIsThemselves()
      }
      const shares = [{ user_id: crypto.randomUUID(), access: 'read' }]
      const answer = await dorothy.ask('/notes', { body: { title: 'Halfway', shares } })
      assertProblem(answer, 409, 'conflict')
    })
    await assertNextIsThemselves()
  })
})

test('a client that hangs up leaves the connection clean, whatever becomes of its request', async () => {
  const hangUp = new AbortController()
  await whileItWaits(async () => {
    const editing = edit('Hung up', hangUp.signal)
    await untilWaiting(notes.owner, 1)
    hangUp.abort()
    await assert.rejects(editing, { name: 'AbortError' })
  })
  await assertNextIsThemselves()
})

test('of four people at once on one connection, some of whom break things off, each is themselves', async () => {
  const grace = await notes.signUp('grace2')
  const lise = await notes.signUp('lise')
  const people = [notes.ada, grace, lise, notes.dorothy]
  const who = `select pie_schema.current_user_id() as id, current_user::text as role,
    array (select distinct owner_id from notes.notes) as owners`
  const breaks = [
    'select 1 / 0',
    '/**/commit',
    'set role webadmin',
    `select set_config('role', 'webadmin', false)`,
    `select set_config('search_path', 'pg_temp', false)`,
    `select set_config('pie.session_id', '', false)`,
    'prepare who as select 1',
    'discard all',
    `insert into notes.notes (title) values ('Fail late')`,
    `do $$ begin perform pg_cancel_backend(pg_backend_pid()); perform pg_sleep(5); end $$`,
  ]
  let turnedAway = 0
  const one = async (person: User, turn: number) => {
    const door = doors[turn % doors.length] as string
    const breaking = turn % 3 === 0 ? [breaks[(turn / 3) % breaks.length] as string] : []
    const answers = JSON.stringify(await notes.run(person, door, who, ...breaking))
    const strangers = people.filter(({ id: other }) => other !== person.id)
    const isAdmin = person === notes.dorothy
    // On a busy machine some wait for the one connection longer than anybody does.
    const isTurnedAway = answers.includes('database_unavailable')
    if (isTurnedAway) turnedAway += 1
    return (
      (breaking.length > 0 ||
        isTurnedAway ||
        answers.includes(`"role":"${isAdmin ? 'webadmin' : 'webuser'}"`)) &&
      (isAdmin || strangers.every(({ id: other }) => !answers.includes(other)))
    )
  }
  const turns = Array.from({ length: 240 }, (_, turn) => one(people[turn % 4] as User, turn))
  const wrong = (await Promise.all(turns)).flatMap((isRight, turn) => (isRight ? [] : [turn]))
  assert.deepEqual(wrong, [])
  assert.ok(turnedAway < turns.length / 2, `${turnedAway} were turned away`)
  await assertNextIsThemselves()
})
