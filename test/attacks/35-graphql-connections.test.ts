import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, beforeEach, describe, test } from 'node:test'
import pg from 'pg'
import { askGraphql, type GraphqlOptions, graphqlData } from '../harness/graphql.ts'
import { notesSchema } from '../harness/graphql-notes.ts'
import { until } from '../harness/nodes.ts'
import { assertProblem, register, startTestPie, type TestPie } from '../harness/pie.ts'

/** Two connections for everybody: whatever one request leaves behind, the next would meet. */
let pie: TestPie
// biome-ignore lint/suspicious/noExplicitAny: what sign-up answers
let ada: any, grace: any
let gatekeeper: pg.Client
before(async () => {
  pie = await startTestPie({ settings: { GRAPHQL_SCHEMAS: 'app', DATABASE_CONNECTIONS: '2' } })
  await pie.owner.query(notesSchema)
  ada = await register(pie, 'ada')
  grace = await register(pie, 'grace')
  gatekeeper = new pg.Client({ connectionString: pie.databaseUrl })
  await gatekeeper.connect()
})
after(async () => {
  await gatekeeper.end()
  await pie.close()
})
beforeEach(() => pie.owner.query('delete from app.notes'))

const as = ({ access_token: token }: { access_token: string }): GraphqlOptions => ({ token })

const titles = async (): Promise<string[]> =>
  (await pie.owner.query('select title from app.notes order by id')).rows.map(({ title }) => title)

/** What grace's next requests, on every connection, find out about themselves. */
async function assertClean(): Promise<void> {
  const seen = await Promise.all(
    Array.from({ length: 6 }, () => graphqlData(pie, as(grace), '{ who currentUserId }')),
  )
  for (const { who, currentUserId } of seen) {
    assert.match(who, /^webuser [0-9a-f-]{36} $/)
    assert.equal(currentUserId, grace.user.id)
  }
  // What a client has left may go on for a moment on another connection.
  await until(async () => {
    const { rowCount } = await pie.owner.query(
      `select from pg_stat_activity where usename = 'cream' and datname = current_database() and state <> 'idle'`,
    )
    return rowCount === 0
  })
}

/** Sends a mutation that stops at the gate, does something meanwhile, then opens it. */
async function whileItWaits(
  options: GraphqlOptions,
  mutation: string,
  meanwhile: () => Promise<unknown>,
): Promise<Awaited<ReturnType<typeof askGraphql>>> {
  await gatekeeper.query('begin')
  await gatekeeper.query('select from app.gates for update')
  const answer = askGraphql(pie, options, mutation)
  try {
    await until(async () => (await waiting()) === 1)
    await meanwhile()
  } finally {
    await gatekeeper.query('commit')
  }
  return answer
}

async function waiting(): Promise<number> {
  const { rows } = await pie.owner.query(
    `select from pg_stat_activity where usename = 'cream' and datname = current_database()
     and state = 'active' and wait_event_type = 'Lock'`,
  )
  return rows.length
}

const twoNotes = `mutation {
  one: createNote(input: { note: { title: "one" } }) { note { id } }
  gate: waitAtGate(input: {}) { result }
  two: createNote(input: { note: { title: "two" } }) { note { id } }
}`

describe('a mutation is one transaction', () => {
  test('of which nobody sees a part, and which is kept at its end', async () => {
    const answer = await whileItWaits(as(ada), twoNotes, async () =>
      assert.deepEqual(await titles(), []),
    )
    assert.equal(answer.body.errors, undefined, JSON.stringify(answer.body))
    assert.deepEqual(await titles(), ['one', 'two'])
    await assertClean()
  })

  test('that is cancelled: 503, nothing kept, the connection clean', async () => {
    const answer = await whileItWaits(as(ada), twoNotes, async () => {
      await pie.owner.query(
        `select pg_cancel_backend(pid) from pg_stat_activity
         where usename = 'cream' and datname = current_database() and wait_event_type = 'Lock'`,
      )
      await until(async () => (await waiting()) === 0)
    })
    assertProblem(answer, 503, 'timeout')
    assert.deepEqual(await titles(), [])
    await assertClean()
  })

  test('that takes too long: 503, nothing kept, the connection clean', async () => {
    await pie.owner.query(
      `alter role cream in database ${pg.escapeIdentifier(databaseName())} set statement_timeout = '300ms'`,
    )
    try {
      await endConnections()
      const answer = await askGraphql(
        pie,
        as(ada),
        'mutation { createNote(input: { note: { title: "slow" } }) { note { id } } sleep(input: { seconds: 5 }) { result } }',
      )
      assertProblem(answer, 503, 'timeout')
      assert.deepEqual(await titles(), [])
      await assertClean()
    } finally {
      await pie.owner.query(
        `alter role cream in database ${pg.escapeIdentifier(databaseName())} reset statement_timeout`,
      )
      await endConnections()
    }
  })

  test('whose connection is cut: 503, nothing kept, and the next is answered', async () => {
    const answer = await whileItWaits(as(ada), twoNotes, endConnections)
    assertProblem(answer, 503, 'database_unavailable')
    assert.deepEqual(await titles(), [])
    await assertClean()
  })

  test('whose session ends meanwhile: what comes after sees nobody, and nothing is kept', async () => {
    const barbara = await register(pie, 'barbara')
    const answer = await whileItWaits(as(barbara), twoNotes, () =>
      pie.owner.query(
        `update pie_private.sessions set revoked_at = now(), revoked_reason = 'test' where user_id = $1`,
        [barbara.user.id],
      ),
    )
    assert.equal(answer.body.data ?? null, null, JSON.stringify(answer.body))
    assert.deepEqual(await titles(), [])
    assertProblem(await askGraphql(pie, as(barbara), twoNotes), 401, 'unauthenticated')
    await assertClean()
  })

  test('whose client hangs up is finished or undone, never left open', async () => {
    const { hostname, port } = new URL(pie.pie.address)
    const body = JSON.stringify({ query: twoNotes })
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    await gatekeeper.query('begin')
    await gatekeeper.query('select from app.gates for update')
    socket.write(
      `POST /graphql HTTP/1.1\r\nHost: pie\r\nAuthorization: Bearer ${ada.access_token}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    await until(async () => (await waiting()) === 1)
    socket.destroy()
    await gatekeeper.query('commit')
    await until(async () => (await waiting()) === 0)
    await assertClean()
    assert.ok([0, 2].includes((await titles()).length))
  })

  test('that fails only at its end keeps nothing, and says so', async () => {
    await pie.owner.query(`create function app.refuse() returns trigger language plpgsql as $$
        begin raise exception 'refused' using errcode = '23514'; end $$;
      create constraint trigger refuse after insert on app.notes deferrable initially deferred
        for each row when (new.title = 'late') execute function app.refuse()`)
    const answer = await askGraphql(
      pie,
      as(ada),
      'mutation { createNote(input: { note: { title: "late" } }) { note { title } } }',
    )
    assert.equal(answer.status, 200)
    assert.equal(answer.body.data, null)
    assert.deepEqual(answer.body.errors[0].extensions, { code: 'invalid_request' })
    assert.deepEqual(await titles(), [])
    await assertClean()
  })
})

describe('what SQL leaves on a connection', () => {
  test('settings and a role for longer than the transaction: nobody meets them', async () => {
    for (let round = 0; round < 3; round += 1) {
      await askGraphql(pie, as(ada), 'mutation { leave(input: {}) { result } }')
      await assertClean()
    }
  })

  test("statements planted under the names of GraphQL's and of Pie's: nobody runs into them", async () => {
    await graphqlData(pie, as(grace), '{ notes { nodes { title } } }')
    const plant = (query: string) =>
      askGraphql(
        pie,
        { ...as(ada), variables: { query } },
        'mutation ($query: String!) { plant(input: { query: $query }) { result } }',
      )
    const { body } = await plant(`do $x$ declare s record; begin
      for s in select name from pg_prepared_statements loop
        execute format('deallocate %I', s.name);
        execute format('prepare %I as select current_setting(%L), current_user', s.name, 'pie.session_proof');
      end loop; end $x$`)
    assert.ok(body.data !== undefined || body.errors !== undefined)
    await plant('create temp table users (id uuid)')
    await plant(`select set_config('search_path', 'pg_temp', false)`)
    await assertClean()
    const { notes } = await graphqlData(pie, as(grace), '{ notes { nodes { title } } }')
    assert.deepEqual(notes.nodes, [])
  })

  test('an error in the middle of a query: the connection goes on', async () => {
    for (const state of ['22012', '42501', '28000', 'P0001', 'XX000']) {
      const query = 'query ($state: String!) { fail(state: $state) }'
      const { status, body } = await askGraphql(pie, { ...as(ada), variables: { state } }, query)
      assert.equal(status, 200, JSON.stringify(body))
      assert.equal(body.errors.length, 1)
      await assertClean()
    }
  })
})

describe('many users on two connections', () => {
  test('are never mixed up, whatever they do at once', async () => {
    const people = await Promise.all(
      Array.from({ length: 8 }, (_, index) => register(pie, `person${index}`)),
    )
    await Promise.all(
      people.flatMap((person, index) =>
        Array.from({ length: 12 }, async (_, round) => {
          const title = `of ${index}, ${round}`
          const kind = round % 4
          if (kind === 0) {
            const made = await graphqlData(
              pie,
              { ...as(person), variables: { title } },
              'mutation ($title: String!) { createNote(input: { note: { title: $title } }) { note { title owner { id } } query { currentUserId } } }',
            )
            assert.deepEqual(made.createNote, {
              note: { title, owner: { id: person.user.id } },
              query: { currentUserId: person.user.id },
            })
          } else if (kind === 1) {
            await askGraphql(
              pie,
              as(person),
              'mutation { createNote(input: { note: { title: "" } }) { note { id } } }',
            )
          } else if (kind === 2) {
            await askGraphql(pie, as(person), '{ fail(state: "22012") me { id } }')
          } else {
            const data = await graphqlData(
              pie,
              as(person),
              '{ me { id userEmails { nodes { email } } } notes { nodes { title owner { id } } } currentUserId }',
            )
            assert.equal(data.me.id, person.user.id)
            assert.equal(data.currentUserId, person.user.id)
            assert.deepEqual(data.me.userEmails.nodes, [{ email: `person${index}@example.com` }])
            for (const note of data.notes.nodes) {
              assert.match(note.title, new RegExp(`^of ${index}, `))
              assert.equal(note.owner.id, person.user.id)
            }
          }
        }),
      ),
    )
    assert.equal((await titles()).length, 8 * 3)
  })
})

const databaseName = (): string => new URL(pie.databaseUrl).pathname.slice(1)

/** Cuts the connections of request transactions; the next request opens others. */
async function endConnections(): Promise<void> {
  await pie.owner.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'cream' and datname = current_database()`,
  )
  await until(async () => {
    const { rows } = await pie.owner.query(
      `select from pg_stat_activity where usename = 'cream' and datname = current_database()`,
    )
    return rows.length === 0
  })
}
