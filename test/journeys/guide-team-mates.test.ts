/** docs/guides/team-mates.md: every command and statement of it, as typed, in its order, on a fresh database. */
import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { dirname } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { lintDatabase } from '../../advisor/src/index.ts'
import { namesOfPie } from '../../server/src/edge/cli/advised.ts'
import { cloneDatabase, testSecretKey } from '../harness/cluster.ts'
import { makeWorkshop, readGuide, type Workshop } from '../harness/guide.ts'
import { startTestPie, type TestPie } from '../harness/pie.ts'

const blocks = readGuide('team-mates.md')
const program = fileURLToPath(new URL('../../server/bin/pie.js', import.meta.url))
const address = 'http://127.0.0.1:3000'

let pie: TestPie
let workshop: Workshop
let drop: () => Promise<void>
let shell: ChildProcessWithoutNullStreams
let said = ''
before(async () => {
  const database = await cloneDatabase()
  drop = database.drop
  pie = await startTestPie({ databaseUrl: database.url, settings: { GRAPHQL_SCHEMAS: 'app' } })
  workshop = makeWorkshop()
  chmodSync(
    workshop.write('pie', `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`),
    0o700,
  )
  shell = spawn('sh', ['-u'], {
    env: {
      PATH: `${workshop.directory}:${dirname(process.execPath)}:${process.env['PATH']}`,
      DATABASE_URL: pie.databaseUrl,
      SECRET_KEY: testSecretKey,
    },
  })
  for (const stream of [shell.stdout, shell.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      said += text
    })
})
after(async () => {
  shell?.kill()
  workshop?.remove()
  await pie?.owner.query('drop role if exists app_migrator').catch(() => {})
  await pie?.close()
  await drop?.()
})

/** Types a block into one shell, in which what was set before is still set; its output, and how each line of `pie` has ended. */
async function type(text: string): Promise<string> {
  said = ''
  shell.stdin.write(`${text.replace(address, pie.pie.address)}\necho "ended with $?"\n`)
  while (!said.includes('ended with')) {
    assert.equal(shell.exitCode, null, said)
    await new Promise((resolve) => shell.stdout.once('data', resolve))
  }
  assert.match(said, /ended with 0\n$/)
  return said.replace(/ended with \d+\n$/, '')
}

/** What each block of commands says, by a word in it. */
const promises: Record<string, (output: string) => void> = {
  'pie lint --schema app': (output) => {
    assert.match(output, /0 findings|[Nn]o findings?|nothing/, output)
  },
  sign_up: (output) => assert.equal(output, ''),
  createNote: (output) => {
    const answers = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    for (const answer of answers) assert.equal(answer.errors, undefined, output)
    const [made, read, seen, ofLise] = answers.map(({ data }) => data)
    assert.ok(made.createNote.note.id)
    assert.deepEqual(read.notes.nodes, [{ title: 'Loops', owner: { displayName: 'Ada Lovelace' } }])
    const names = seen.profiles.nodes.map((node: { displayName: string }) => node.displayName)
    assert.deepEqual(names.sort(), ['Ada Lovelace', 'Grace Hopper'])
    assert.deepEqual(seen.users.nodes, [{ name: 'Grace Hopper' }])
    assert.deepEqual(ofLise, {
      notes: { nodes: [] },
      profiles: { nodes: [{ displayName: 'Lise Meitner' }] },
    })
  },
  'pie explain': (output) => {
    assert.match(output, /team_mates/)
    assert.match(output, /profiles_own/)
  },
}

test('the guide goes from an empty database to people of a team who see each other', async () => {
  const unproven = new Set(Object.keys(promises))
  for (const { language, text, place } of blocks) {
    if (language === 'sql') {
      await pie.owner.query(text).catch((error) => {
        throw new Error(`${place}: ${error.message}`)
      })
      continue
    }
    assert.equal(language, 'sh', place)
    const output = await type(text)
    const known = [...unproven].find((word) => text.includes(word))
    assert.ok(known !== undefined, place)
    unproven.delete(known)
    promises[known]?.(output)
  }
  assert.deepEqual([...unproven], [])
})

test('what it makes has no finding of lint, on Pie’s schemas neither', async () => {
  const schemas = ['app', 'pie_schema', 'pie_hooks']
  const { findings } = await lintDatabase(pie.owner, {
    schemas,
    acceptances: [],
    names: namesOfPie,
  })
  assert.deepEqual(
    findings.filter(
      ({ object }) => !/changed_users|after_user_changed|to app_migrator/.test(object),
    ),
    [],
  )
})

test('its hook hears of a change', async () => {
  await pie.owner.query(`update pie_schema.users set name = 'Ada' where name = 'Ada Lovelace'`)
  const { rows } = await pie.owner.query(
    'select name from app.changed_users join pie_schema.users on id = user_id',
  )
  assert.deepEqual(rows, [{ name: 'Ada' }])
})

test('an owner whom one may not see is null, without an error, and is not told from one who is not there', async () => {
  const find = `select user_id as id from pie_schema.user_emails where email = $1`
  const lise = (await pie.owner.query(find, ['lise@example.com'])).rows[0].id
  const note = `insert into app.notes (team, owner_id, title) values ('engines', $1, 'Of lise')`
  await pie.owner.query(note, [lise])
  const body = {
    email: 'grace@example.com',
    password: 'correct horse battery staple',
  }
  const token = (await pie.request('/auth/login', { body })).body.access_token
  const ask = async (query: string, variables = {}) =>
    (await pie.request('/graphql', { token, body: { query, variables } })).body
  assert.deepEqual(
    await ask(
      '{ notes(orderBy: PRIMARY_KEY_ASC) { nodes { title ownerId owner { displayName } } } }',
    ).then(({ data, errors }) => {
      assert.equal(errors, undefined)
      return data.notes.nodes.find(({ title }: { title: string }) => title === 'Of lise')
    }),
    { title: 'Of lise', ownerId: lise, owner: null },
  )
  const profile = 'query ($id: UUID!) { profile(userId: $id) { displayName user { name } } }'
  const absent = await ask(profile, { id: crypto.randomUUID() })
  assert.deepEqual(await ask(profile, { id: lise }), absent)
  assert.deepEqual(absent, { data: { profile: null } })
})
