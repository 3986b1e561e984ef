/** The GraphQL editor, in a real browser. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Browser, startBrowser } from '../harness/browser.ts'
import { goodPassword, register, startTestPie, type TestPie } from '../harness/pie.ts'
import { findFreePort } from '../harness/process.ts'

let pie: TestPie
let browser: Browser
let origin: string
before(async () => {
  const port = await findFreePort()
  origin = `http://localhost:${port}`
  pie = await startTestPie({ settings: { SOCKET: `127.0.0.1:${port}`, SERVICE_DOMAIN: origin } })
  await register(pie, 'ada')
  browser = await startBrowser()
})
after(async () => {
  await browser?.close()
  await pie?.close()
})

const set = (id: string, text: string) =>
  browser.page.run(`{
    const field = document.getElementById(${JSON.stringify(id)})
    field.value = ${JSON.stringify(text)}
    field.dispatchEvent(new Event('input')); field.dispatchEvent(new Event('change'))
  }`)
const click = (selector: string) =>
  browser.page.run(`document.querySelector('${selector}').click()`)
const text = (id: string): Promise<string> =>
  browser.page.run(`document.getElementById('${id}').textContent`)
const says = (id: string, part: string) =>
  browser.page.until(
    `document.getElementById('${id}').textContent.includes(${JSON.stringify(part)})`,
  )

describe('the editor', () => {
  test('says that nobody is signed in, in plain words', async () => {
    await browser.page.goTo(`${origin}/graphql/editor`)
    await browser.page.run(
      `window.blocked = []; document.addEventListener('securitypolicyviolation', (event) => blocked.push(event.blockedURI))`,
    )
    await says('documentation', 'There is no documentation')
    await click('#run')
    await says('outcome', 'Nobody is signed in')
    assert.match(await text('answer'), /unauthenticated/)
  })

  test('asks and changes with the cookie of whoever is signed in, and shows what there is', async () => {
    const credentials = JSON.stringify({
      email: 'ada@example.com',
      password: goodPassword,
      transport: 'cookie',
    })
    await browser.page.run(
      `fetch('/auth/login', { method: 'POST', headers: { 'content-type': 'application/json' }, body: ${JSON.stringify(credentials)} }).then(({ status }) => status)`,
    )
    await browser.page.goTo(`${origin}/graphql/editor?signed-in`)
    await browser.page.run(
      `window.blocked = []; document.addEventListener('securitypolicyviolation', (event) => blocked.push(event.blockedURI))`,
    )
    await says('who', 'Signed in with a cookie.')
    await click('#run')
    await says('answer', '"me"')
    assert.match(await text('outcome'), /^200, \d+ ms$/)
    const { id } = JSON.parse(await text('answer')).data.me

    await set(
      'query',
      'query A { me { id } } mutation B($id: UUID!) { updateUser(input: { id: $id, patch: { name: "Ada" } }) { user { name } } }',
    )
    await set('variables', JSON.stringify({ id }))
    await browser.page.run(`document.getElementById('operation').value = 'B'`)
    await click('#run')
    await says('answer', '"name": "Ada"')

    await set('variables', '{')
    await click('#run')
    await says('outcome', 'The variables are no JSON')
    assert.deepEqual(await browser.page.run('blocked'), [])
  })

  test('finds a type in the documentation, and writes a query with a field of it', async () => {
    await set('search', 'name')
    await says('documentation', 'User.name')
    await set('search', '')
    await browser.page.run(
      `[...document.querySelectorAll('#documentation button')].find((button) => button.textContent === 'users').click()`,
    )
    const query = await browser.page.run(`document.getElementById('query').value`)
    assert.match(query, /^query \{\n {2}users \{ nodes \{ .*id.* \} \}\n\}\n$/)
    await set('variables', '')
    await click('#run')
    await says('answer', '"nodes"')
    assert.deepEqual(JSON.parse(await text('answer')).data.users.nodes.length, 1)
  })

  test('takes an access token, and forgets it with the tab', async () => {
    const { access_token } = await register(pie, 'grace')
    await set('query', '{ me { name } }')
    await set('token', access_token)
    await says('who', 'Signed in with an access token.')
    await click('#run')
    await says('answer', '"name": null')
    assert.equal(
      await browser.page.run(
        'Object.values(localStorage).join().includes(sessionStorage["pie graphql token"])',
      ),
      false,
    )
  })
})
