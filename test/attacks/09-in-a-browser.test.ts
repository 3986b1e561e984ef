import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, test } from 'node:test'
import { sessionCookieName } from '../../server/src/features/sessions/session-cookie-name.ts'
import { type Browser, startBrowser } from '../harness/browser.ts'
import { goodPassword, register, snapshot, startTestPie, type TestPie } from '../harness/pie.ts'
import { findFreePort } from '../harness/process.ts'

/** Serves empty pages, by both names of this machine: of two sites, as far as browsers know. */
async function startPages(): Promise<{ server: Server; port: number }> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>page</title>')
  }).listen(0)
  await new Promise((resolve) => server.once('listening', resolve))
  return { server, port: (server.address() as AddressInfo).port }
}

let browser: Browser
let pie: TestPie
let own: string
let allowed: string
let evil: string
let servers: Server[]
before(async () => {
  const [app, attacker] = [await startPages(), await startPages()]
  servers = [app.server, attacker.server]
  allowed = `http://localhost:${app.port}`
  // Of the same site as Pie, so that the browser does send the cookie: the worst neighbour there is.
  evil = `http://localhost:${attacker.port}`
  const port = await findFreePort()
  own = `http://localhost:${port}`
  pie = await startTestPie({
    settings: { SOCKET: `127.0.0.1:${port}`, SERVICE_DOMAIN: own, ALLOWED_ORIGINS: allowed },
  })
  await register(pie, 'ada')
  await register(pie, 'eve')
  browser = await startBrowser()
})
after(async () => {
  await browser.close()
  await pie.close()
  for (const server of servers) server.close()
})

const cookie = () => browser.cookie(sessionCookieName(own), own)

/** What a page does, as source: a request whose answer it reads. */
const fetching = (path: string, options: object = {}): string =>
  `fetch(${JSON.stringify(own + path)}, ${JSON.stringify({ credentials: 'include', ...options })})
    .then(async (answer) => ({ status: answer.status, body: await answer.json().catch(() => null) }))`

const json = (method: string, body: object, headers: object = {}) => ({
  method,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
})

const credentialsOf = (name: string) => ({
  email: `${name}@example.com`,
  password: goodPassword,
  transport: 'cookie',
})

/** Fills in a form and sends it, and reads what the browser then shows. */
async function submit(
  path: string,
  fields: Record<string, string>,
  enctype = 'application/x-www-form-urlencoded',
): Promise<{ url: string; text: string }> {
  const { page } = browser
  await page.run(`{
    const form = document.createElement('form')
    Object.assign(form, { method: 'post', action: ${JSON.stringify(own + path)}, enctype: ${JSON.stringify(enctype)} })
    for (const [name, value] of Object.entries(${JSON.stringify(fields)})) {
      const input = document.createElement('input')
      Object.assign(input, { type: 'hidden', name, value })
      form.append(input)
    }
    document.body.append(form)
    window.isOld = true
    form.submit()
  }`)
  await page.until(`window.isOld === undefined && document.readyState === 'complete'`)
  const [url, text] = await page.run('[location.href, document.body.innerText]')
  return { url, text }
}

async function signInAsAda(): Promise<string> {
  // A small page of Pie's own, whose policy lets it ask Pie.
  await browser.page.goTo(`${own}/docs/static/index.css`)
  const { status, body } = await browser.page.run(
    fetching('/auth/login', json('POST', credentialsOf('ada'))),
  )
  assert.equal(status, 200)
  return body.csrf_token
}

describe('in a browser', () => {
  let token: string
  let earlier: Record<string, string>
  let held: string | null
  beforeEach(async () => {
    token = await signInAsAda()
    held = await cookie()
    assert.ok(held)
    earlier = await snapshot(pie.owner)
  })

  const assertUnchanged = async (): Promise<void> => {
    assert.equal(await cookie(), held)
    assert.deepEqual(await snapshot(pie.owner), earlier)
  }

  test('a form of another origin signs nobody out, on the same site and on another', async () => {
    for (const page of [evil, evil.replace('localhost', '127.0.0.1')]) {
      for (const fields of [{}, { return_to: '/' }, { csrf_token: token }]) {
        await browser.page.goTo(`${page}/`)
        assert.match((await submit('/auth/logout', fields)).text, /"cross_origin"/, page)
        await assertUnchanged()
      }
    }
  })

  test('a form of another origin signs nobody in', async () => {
    const text = JSON.stringify({ ...credentialsOf('eve'), x: '' }).slice(0, -2)
    const forms = [
      ['application/x-www-form-urlencoded', credentialsOf('eve')],
      ['multipart/form-data', credentialsOf('eve')],
      // As text/plain, the field's name and value make one JSON text.
      ['text/plain', { [text]: '"}' }],
    ] as const
    for (const page of [evil, evil.replace('localhost', '127.0.0.1')]) {
      for (const path of ['/auth/login', '/auth/register']) {
        for (const [enctype, fields] of forms) {
          await browser.page.goTo(`${page}/`)
          const answer = await submit(path, fields, enctype)
          assert.match(answer.text, /"cross_origin"/, `${page} ${path} ${enctype}`)
          await assertUnchanged()
        }
      }
    }
  })

  test('a script of another origin reads nothing, and changes nothing', async () => {
    await browser.page.goTo(`${evil}/`)
    const { page } = browser
    const reading = ['/auth/session', '/auth/csrf', '/users/me', '/openapi.json']
    for (const path of reading) await assert.rejects(page.run(fetching(path)), /Failed to fetch/)
    const headers = { 'x-csrf-token': token }
    const changing = [
      ['/users/me', json('PATCH', { name: 'Eve' }, headers)],
      ['/auth/login', json('POST', credentialsOf('eve'))],
      ['/auth/logout', { method: 'POST', headers }],
      ['/auth/logout', { method: 'POST' }],
      ['/auth/sessions', { method: 'DELETE', headers }],
    ] as const
    for (const [path, options] of changing)
      await assert.rejects(page.run(fetching(path, options)), /Failed to fetch/, path)
    await page.run(
      `fetch(${JSON.stringify(`${own}/auth/logout`)}, { method: 'POST', mode: 'no-cors', credentials: 'include' }).catch(() => null)`,
    )
    await assertUnchanged()
  })

  test('a script of an allowed origin reads and changes with the cookie and a CSRF token', async () => {
    const { page } = browser
    await page.goTo(`${allowed}/`)
    const session = await page.run(fetching('/auth/session'))
    assert.deepEqual([session.status, session.body.user.email], [200, 'ada@example.com'])
    const refused = await page.run(fetching('/users/me', json('PATCH', { name: 'Ada' })))
    assert.deepEqual([refused.status, refused.body.code], [403, 'csrf_token_missing'])
    await assertUnchanged()
    const { body } = await page.run(fetching('/auth/csrf'))
    const headers = { 'x-csrf-token': body.csrf_token }
    const renamed = await page.run(fetching('/users/me', json('PATCH', { name: 'Ada' }, headers)))
    assert.deepEqual([renamed.status, renamed.body.name], [200, 'Ada'])
  })

  test('a form of Pie’s own signs out, though its page hides its origin', async () => {
    const { url } = await submit('/auth/logout', { csrf_token: token, return_to: '/health/live' })
    assert.equal(url, `${own}/health/live`)
    assert.equal(await cookie(), null)
    const [value = ''] = (held ?? '').split(';')
    const headers = { cookie: `${sessionCookieName(own)}=${value}` }
    assert.equal((await pie.request('/auth/session', { headers })).status, 401)
  })

  test('the cookie is out of reach of scripts', async () => {
    assert.equal(await browser.page.run('document.cookie'), '')
  })

  test('the reader at /docs reads the description with its own scripts', async () => {
    const { page } = browser
    await page.goTo(`${own}/docs`)
    await page.until(`document.querySelectorAll('.swagger-ui .opblock').length >= 10`)
  })
})
