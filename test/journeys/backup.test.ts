/** `pie backup` and `pie restore`, with the Postgres that Pie brings. */
import assert from 'node:assert/strict'
import {
  appendFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { isSignedIn, registerByCookie } from '../harness/by-cookie.ts'
import { type RequestOptions, send } from '../harness/pie.ts'
import {
  type DataDirectory,
  type Finished,
  findFreePort,
  makeDataDirectory,
  type PieProcess,
  runPie,
  startPieProcess,
} from '../harness/process.ts'

let data: DataDirectory
/** Where backups are written to. */
let safe: DataDirectory
let pie: PieProcess
let secretKey: string
/** Of people who have registered, by name. */
const cookies: Record<string, string> = {}

const settings = (more: Record<string, string> = {}) => ({ DATA_DIR: data.path, ...more })
const run = (...args: string[]): Promise<Finished> => runPie(args, settings())
const through = {
  request: (path: string, options?: RequestOptions) => send(pie.address, path, options),
}

/** Always of one name, wherever it listens: the cookie holds the port of that. */
const SERVICE_DOMAIN = 'http://localhost:3000'

async function start(more: Record<string, string> = {}): Promise<void> {
  const SOCKET = `127.0.0.1:${await findFreePort()}`
  const stable = { SERVICE_DOMAIN, RATE_LIMIT_SCALE: '1000' }
  pie = await startPieProcess(settings({ SOCKET, ...stable, ...more }))
}

async function signUp(name: string): Promise<void> {
  cookies[name] = (await registerByCookie(through, name)).cookie
}

const signedIn = async (): Promise<string[]> => {
  const names = Object.keys(cookies)
  const alive = await Promise.all(names.map((name) => isSignedIn(through, cookies[name] ?? '')))
  return names.filter((_, index) => alive[index])
}

const place = (name: string) => join(safe.path, name)

async function backUp(name: string): Promise<string> {
  const { code, stdout, stderr } = await run('backup', place(name))
  assert.equal(code, 0, stderr)
  return stdout
}

/** As after a fire: nothing is left of DATA_DIR. */
function burn(): void {
  rmSync(data.path, { recursive: true, force: true })
  mkdirSync(data.path, { mode: 0o700 })
}

const restore = (name: string, key: string | null = secretKey): Promise<Finished> =>
  runPie(['restore', place(name), '--json'], settings({ ...(key !== null && { SECRET_KEY: key }) }))

before(async () => {
  data = makeDataDirectory()
  safe = makeDataDirectory()
  await start()
  await signUp('ada')
  secretKey = readFileSync(join(data.path, 'secret-key'), 'utf8')
})
after(async () => {
  await pie?.end('SIGTERM')
  data?.remove()
  safe?.remove()
})

describe('pie backup', () => {
  test('writes a whole backup while Pie runs and people sign up, and says what is not in it', async () => {
    let isDone = false
    const busy = (async () => {
      // A network may register so many people, and no more.
      for (let person = 0; person < 5 && !isDone; person += 1) await signUp(`busy${person}`)
      while (!isDone) assert.equal(await isSignedIn(through, cookies['busy0'] ?? ''), true)
    })()
    const said = await backUp('running').finally(() => {
      isDone = true
    })
    await busy
    assert.match(said, /SECRET_KEY is not in it, which is in \S+secret-key\./)
    assert.equal(statSync(place('running')).mode & 0o777, 0o700)
    assert.deepEqual(readdirSync(place('running')).sort(), ['data', 'pie-backup.json'])
    assert.equal(existsSync(`${place('running')}.unfinished`), false)
    assert.equal((await through.request('/health/ready')).status, 200)
  })

  test('writes neither SECRET_KEY nor the owner’s password, and nothing of one run of the server', () => {
    const password = readFileSync(join(data.path, 'postgres', 'password'))
    const files = globSync('**/*', { cwd: place('running'), withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
    assert.ok(files.length > 1000, `only ${files.length} files`)
    for (const file of files) {
      assert.equal(statSync(file).mode & 0o077, 0, file)
      const content = readFileSync(file)
      assert.equal(content.includes(secretKey) || content.includes(password), false, file)
    }
    const manifest = readFileSync(join(place('running'), 'pie-backup.json'), 'utf8')
    assert.equal(/SCRAM|password/.test(manifest), false)
    const names = files.map((file) => file.slice(place('running').length))
    assert.deepEqual(
      names.filter((name) => /postmaster|replslot\/|pg_notify\/|pgsql_tmp/.test(name)),
      [],
    )
    assert.ok(names.includes('/data/backup_label'))
  })

  test('leaves nothing behind in the server: no slot, no backup that goes on', async () => {
    const owner = JSON.parse((await run('database', '--passwords', '--json')).stdout).owner
    const client = new pg.Client({ connectionString: owner })
    await client.connect()
    const { rows } = await client.query('select slot_name from pg_replication_slots')
    assert.deepEqual(rows, [])
    await client.end()
  })

  test('is written over nothing: neither a file, nor a backup, nor one that was killed', async () => {
    const earlier = statSync(join(place('running'), 'pie-backup.json'))
    writeFileSync(place('file'), 'mine')
    mkdirSync(`${place('killed')}.unfinished`)
    for (const [name, reason] of [
      ['running', /is there already/],
      ['file', /is there already/],
      ['killed', /rm -r \S+killed\.unfinished/],
    ] as const) {
      const { code, stdout, stderr } = await run('backup', place(name))
      assert.deepEqual([code, stdout], [1, ''], name)
      assert.match(stderr, reason)
    }
    assert.deepEqual(statSync(join(place('running'), 'pie-backup.json')), earlier)
    assert.equal(readFileSync(place('file'), 'utf8'), 'mine')
    mkdirSync(place('empty'))
    await backUp('empty')
  })

  test('works while Pie does not run, and takes nothing for a Pie that is none', async () => {
    assert.equal(await pie.end('SIGTERM'), 0)
    await backUp('stopped')
    assert.throws(() => data.postgresPid(), /ENOENT/)

    const nothing = makeDataDirectory()
    const { code, stderr } = await runPie(['backup', place('nothing')], { DATA_DIR: nothing.path })
    assert.equal(code, 1)
    assert.match(stderr, /There is nothing to back up in/)
    assert.deepEqual(readdirSync(nothing.path), [])
    assert.equal(existsSync(place('nothing')), false)
    nothing.remove()
  })
})

describe('pie restore', () => {
  test('is refused over data, and changes nothing there', async () => {
    const before = readFileSync(join(data.path, 'postgres', 'password'), 'utf8')
    const { code, stderr } = await restore('stopped')
    assert.equal(code, 1)
    assert.match(stderr, /There is a Postgres in \S+ already/)
    assert.equal(readFileSync(join(data.path, 'postgres', 'password'), 'utf8'), before)
  })

  const refused: [name: string, key: string | null, reason: RegExp][] = [
    ['stopped', null, /SECRET_KEY is not in a backup. Set it/],
    ['stopped', 'another-Zk3pW9xQ6vT1mR8nB4cJ7dL2sF5gH0yE', /does not open the signing key/],
    ['damaged', '', /damaged: data\/base\/\S+ has changed since/],
    ['incomplete', '', /damaged: data\/global\/pg_control could not be read/],
    ['cut-off', '', /damaged: pie-backup\.json is no JSON/],
    ['leads-out', '', /damaged: its pie-backup\.json is not as it was written/],
    ['of-another', '', /This backup is of Postgres 17, and this Pie brings 18/],
    ['of-tomorrow', '', /has the form 2, which this version of Pie does not read/],
    ['empty.unfinished', '', /There is no backup in/],
    ['nowhere', '', /There is no backup in/],
  ]
  test('refuses a wrong key and a damaged or unfinished backup, and writes nothing', async () => {
    burn()
    for (const name of [
      'damaged',
      'incomplete',
      'cut-off',
      'leads-out',
      'of-another',
      'of-tomorrow',
    ])
      copy('stopped', name)
    const [table = ''] = globSync('data/base/*/1259', { cwd: place('damaged') })
    appendFileSync(join(place('damaged'), table), 'x')
    rmSync(join(place('incomplete'), 'data/global/pg_control'))
    const manifest = readFileSync(join(place('stopped'), 'pie-backup.json'), 'utf8')
    const write = (name: string, text: string) =>
      writeFileSync(join(place(name), 'pie-backup.json'), text)
    write('cut-off', manifest.slice(0, 1000))
    write('leads-out', manifest.replace('data/PG_VERSION', 'data/../../PG_VERSION'))
    write('of-another', manifest.replace('"postgres_major": 18', '"postgres_major": 17'))
    write('of-tomorrow', manifest.replace('"format": 1', '"format": 2'))
    renameSync(place('empty'), place('empty.unfinished'))
    rmSync(join(place('empty.unfinished'), 'pie-backup.json'))

    for (const [name, key, reason] of refused) {
      const { code, stdout, stderr } = await restore(name, key === '' ? secretKey : key)
      assert.deepEqual([code, stdout], [1, ''], name)
      assert.match(stderr, reason)
      assert.deepEqual(readdirSync(data.path), [], name)
    }
    const elsewhere = await runPie(['restore', place('stopped')], {
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing',
      SECRET_KEY: secretKey,
    })
    assert.match(elsewhere.stderr, /leave DATABASE_URL out/)
  })

  for (const name of ['running', 'stopped'])
    test(`after ${name === 'running' ? 'a backup of a running Pie' : 'one of a stopped Pie'}, who was signed in is`, async () => {
      burn()
      // As a restore that was killed leaves it.
      mkdirSync(join(data.path, 'postgres.restoring', 'data'), { recursive: true })
      const { code, stdout, stderr } = await restore(name)
      assert.equal(code, 0, stderr)
      const { kind, users, sessions } = JSON.parse(stdout)
      assert.equal(kind, 'embedded')
      assert.ok(users >= 1 && sessions === users)
      assert.deepEqual(readdirSync(data.path), ['postgres'])
      assert.equal(statSync(join(data.path, 'postgres', 'password')).mode & 0o777, 0o600)
      assert.equal(statSync(join(data.path, 'postgres', 'data')).mode & 0o777, 0o700)

      await start({ SECRET_KEY: secretKey })
      try {
        const there = await signedIn()
        assert.equal(there[0], 'ada')
        assert.equal(there.length, sessions)
        if (name === 'stopped') assert.deepEqual(there, Object.keys(cookies))
        await signUp(`after-${name}`)
      } finally {
        await pie.end('SIGTERM')
        delete cookies[`after-${name}`]
      }
    })

  test('takes the key that is kept in DATA_DIR, and a password of the owner’s that is new', async () => {
    burn()
    writeFileSync(join(data.path, 'secret-key'), secretKey, { mode: 0o600 })
    const passwords = new Set<string>()
    for (const _ of [1, 2]) {
      rmSync(join(data.path, 'postgres'), { recursive: true, force: true })
      const { code, stdout, stderr } = await runPie(['restore', place('stopped')], settings())
      assert.equal(code, 0, stderr)
      assert.match(stdout, /Sessions that have been ended since\nlive again\. .*pie start/s)
      passwords.add(readFileSync(join(data.path, 'postgres', 'password'), 'utf8'))
    }
    assert.equal(passwords.size, 2)
    const listed = await run('session', 'list', 'ada@example.com', '--json')
    assert.equal(JSON.parse(listed.stdout).sessions.length, 1)
  })
})

function copy(from: string, to: string): void {
  cpSync(place(from), place(to), { recursive: true })
}
