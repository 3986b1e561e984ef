import assert from 'node:assert/strict'
import {
  accessSync,
  chmodSync,
  constants,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { register, send } from '../harness/pie.ts'
import {
  findFreePort,
  makeDataDirectory,
  type RunOptions,
  runPie,
  startPieProcess,
} from '../harness/process.ts'

const repository = fileURLToPath(new URL('../../', import.meta.url))
const isRoot = process.getuid?.() === 0
const NOBODY = 65_534

async function startsAndRegisters(settings: Record<string, string>, options: RunOptions = {}) {
  const pie = await startPieProcess(
    { ...settings, SOCKET: `127.0.0.1:${await findFreePort()}` },
    options,
  )
  try {
    await register({ request: (path, request) => send(pie.address, path, request) }, 'ada')
  } finally {
    assert.equal(await pie.end('SIGTERM'), 0)
  }
}

test('Pie starts for whoever runs these tests, in a directory that only they may enter', async () => {
  const data = makeDataDirectory()
  await startsAndRegisters({ DATA_DIR: data.path })
  assert.equal(statSync(join(data.path, 'secret-key')).mode & 0o777, 0o600)
  assert.equal(statSync(join(data.path, 'postgres', 'password')).mode & 0o777, 0o600)
  data.remove()
})

test('commands are enough by themselves: they start Postgres, work, and stop it', async () => {
  const data = makeDataDirectory()
  const settings = { DATA_DIR: data.path }
  const plan = await runPie(['migrate', '--plan', '--json'], settings)
  assert.equal(plan.code, 0, plan.stderr)
  assert.equal(JSON.parse(plan.stdout).pending[0], '0001-schemas.sql')
  const created = await runPie(
    ['user', 'create', 'ada@example.com', '--admin', '--password-stdin', '--json'],
    settings,
    {
      input: 'correct horse battery staple\n',
    },
  )
  assert.equal(created.code, 0, created.stderr)
  assert.deepEqual(JSON.parse(created.stdout).roles, ['admin', 'viewer'])
  assert.deepEqual(JSON.parse((await runPie(['migrate', '--json'], settings)).stdout), { ran: [] })

  const refusals: [string[], RegExp][] = [
    [['user', 'create', 'ada@example.com'], /belongs to another account/],
    [['user', 'create', 'not-an-address'], /^pie: email must be an e-mail address/],
    [
      ['user', 'grant', 'grace@example.com', 'editor'],
      /There is no user with the address grace@example.com/,
    ],
    [
      ['user', 'grant', 'ada@example.com', 'emperor'],
      /There is no role emperor\. There are: admin, editor, viewer/,
    ],
    [['user', 'grant', 'ada@example.com'], /missing required argument 'role'/],
    [['bake'], /unknown command 'bake'/],
  ]
  for (const [args, message] of refusals) {
    const refused = await runPie(args, settings)
    assert.equal(refused.code, 1, args.join(' '))
    assert.match(refused.stderr, message)
    assert.equal(refused.stdout, '')
  }
  const revoked = await runPie(['user', 'revoke', 'ada@example.com', 'admin'], settings)
  assert.equal(revoked.stdout, 'ada@example.com no longer has the role admin.\n')
  const rotated = await runPie(['key', 'rotate', '--json'], settings)
  assert.deepEqual(JSON.parse(rotated.stdout).signs_after, 600)
  const urls = JSON.parse((await runPie(['database', '--passwords', '--json'], settings)).stdout)
  assert.match(urls.cream, /^postgres:\/\/cream:.+@127\.0\.0\.1:\d+\/pie_db$/)
  assert.throws(() => data.postgresPid(), /ENOENT/)
  data.remove()
})

if (isRoot) {
  /** As in a container that forbids user namespaces: root runs Postgres as the user `postgres`. */
  const withoutNamespaces = () => {
    const directory = mkdtempSync(join(tmpdir(), 'pie-path-'))
    chmodSync(directory, 0o755)
    writeFileSync(join(directory, 'unshare'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
    return {
      PATH: `${directory}:${process.env['PATH']}`,
      remove: () => rmSync(directory, { recursive: true }),
    }
  }

  test('without user namespaces, a root is told which directory keeps the user postgres out', async () => {
    const { PATH, remove } = withoutNamespaces()
    const data = makeDataDirectory()
    mkdirSync(join(data.path, 'deep'))
    const refused = await runPie(['migrate'], { PATH, DATA_DIR: join(data.path, 'deep') })
    assert.equal(refused.code, 1)
    assert.match(
      refused.stderr,
      /^pie: Postgres does not run as root, and the user postgres may not enter \S+\. .*chmod o\+x/,
    )
    data.remove()
    remove()
  })

  const mayEnter = (directory: string): boolean =>
    directory === dirname(directory) ||
    ((statSync(directory).mode & 0o001) !== 0 && mayEnter(dirname(directory)))

  // A clone in a directory of root's own can be run by nobody else.
  if (mayEnter(repository)) {
    test('Pie starts for an ordinary user, and without user namespaces for root', async () => {
      accessSync(repository, constants.R_OK)
      const ordinary = makeDataDirectory(NOBODY)
      await startsAndRegisters({ DATA_DIR: ordinary.path }, { uid: NOBODY })
      ordinary.remove()

      const { PATH, remove } = withoutNamespaces()
      const data = makeDataDirectory()
      chmodSync(data.path, 0o711)
      await startsAndRegisters({ PATH, DATA_DIR: data.path })
      assert.notEqual(statSync(join(data.path, 'postgres', 'data')).uid, 0)
      data.remove()
      remove()
    })
  }
}
