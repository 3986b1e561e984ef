/** README's code, pasted as it is and run: the plugin on a Postgres of its own, and `/session` beside it. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EmptyFolder } from './empty-folder.ts'
import { fencedCode } from './fenced-code.ts'

const origin = 'http://localhost:3000'

/** @param readme whose first two blocks of `js` are the plugin and the session */
export async function runReadmeCode(
  folder: EmptyFolder,
  readme: string,
  node: string,
): Promise<void> {
  const [plugin = '', session = ''] = fencedCode(readme, 'js')
  folder.write('app.mjs', plugin)
  folder.write('beside.mjs', session)
  rmSync(join(folder.path, '.pie'), { recursive: true, force: true })
  const running: ChildProcess[] = []
  const start = async (program: string, settings: Record<string, string>): Promise<string> => {
    const port = String(await freePort())
    const { HOME = '/', PATH = '' } = process.env
    const child = spawn(node, [program], {
      cwd: folder.path,
      env: { HOME, PATH, PORT: port, SERVICE_DOMAIN: origin, ...settings },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    running.push(child)
    await answers(`http://127.0.0.1:${port}/`, child)
    return `http://127.0.0.1:${port}`
  }
  try {
    const app = await start('app.mjs', {})
    assert.deepEqual(await (await fetch(`${app}/`)).json(), { hello: 'stranger' })
    assert.equal((await fetch(`${app}/me`)).status, 401)
    const registered = await fetch(`${app}/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        email: 'ada@example.com',
        password: 'correct horse battery staple',
        name: 'Ada',
        transport: 'cookie',
      }),
    })
    assert.equal(registered.status, 201)
    const cookie = registered.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    const asAda = { headers: { cookie } }
    assert.deepEqual(await (await fetch(`${app}/`, asAda)).json(), { hello: 'Ada' })
    const me = (await (await fetch(`${app}/me`, asAda)).json()) as { name: string }
    assert.equal(me.name, 'Ada')

    const { output } = await folder.run('pie', ['database', '--json'])
    const { pie_auth, cream } = JSON.parse(output)
    const beside = await start('beside.mjs', {
      SECRET_KEY: await readSecretKey(folder),
      AUTH_DATABASE_URL: withoutPassword(pie_auth),
      REQUEST_DATABASE_URL: withoutPassword(cream),
    })
    const nobody = await fetch(beside)
    assert.equal(nobody.status, 401)
    assert.match(await nobody.text(), /"code":"unauthenticated"/)
    assert.deepEqual(await (await fetch(beside, asAda)).json(), me)
  } finally {
    for (const child of running.reverse()) {
      child.kill('SIGTERM')
      await Promise.race([once(child, 'exit'), sleep(5_000)])
      child.kill('SIGKILL')
    }
  }
}

const withoutPassword = (address: string): string => {
  const url = new URL(address)
  url.password = ''
  return url.href
}

async function readSecretKey(folder: EmptyFolder): Promise<string> {
  const read = `process.stdout.write(require('node:fs').readFileSync('.pie/secret-key', 'utf8'))`
  return (await folder.run('node', ['--eval', read])).output
}

async function answers(address: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`)
    if (
      await fetch(address).then(
        () => true,
        () => false,
      )
    )
      return
    await sleep(100)
  }
  throw new Error(`nothing answers at ${address}`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}
