/** People who are signed in as browsers are: by a cookie, with a CSRF token beside it. */
import assert from 'node:assert/strict'
import { type Answer, goodPassword, type TestPie } from './pie.ts'

export interface CookieHolder {
  /** What a browser sends as Cookie. */
  cookie: string
  csrfToken: string
  sessionId: string
}

/** Registers somebody. Their address is theirs: ada@example.com. */
export async function registerByCookie(
  { request }: Pick<TestPie, 'request'>,
  name: string,
): Promise<CookieHolder> {
  const body = { email: `${name}@example.com`, password: goodPassword, transport: 'cookie' }
  return readCookieHolder(await request('/auth/register', { body }))
}

export async function signInByCookie(
  { request }: Pick<TestPie, 'request'>,
  name: string,
): Promise<CookieHolder> {
  const body = { email: `${name}@example.com`, password: goodPassword, transport: 'cookie' }
  return readCookieHolder(await request('/auth/login', { body }))
}

function readCookieHolder({ status, headers, body }: Answer): CookieHolder {
  assert.ok(status === 200 || status === 201, JSON.stringify(body))
  const [cookie = ''] = (headers.getSetCookie()[0] ?? '').split(';')
  return { cookie, csrfToken: body.csrf_token, sessionId: body.session.id }
}

/** Whether a cookie still lets somebody in. */
export async function isSignedIn(
  { request }: Pick<TestPie, 'request'>,
  cookie: string,
): Promise<boolean> {
  return (await request('/auth/session', { headers: { cookie } })).status === 200
}
