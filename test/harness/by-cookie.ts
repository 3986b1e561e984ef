/** People who are signed in as browsers are: by a cookie, with a CSRF token beside it. */
import assert from 'node:assert/strict'
import { until } from './nodes.ts'
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

/** What the browser sends as Cookie from this answer on; null where it is what it was. */
export const cookieOf = ({ headers }: Answer): string | null =>
  headers.getSetCookie()[0]?.split(';')[0] ?? null

export const idOfCookie = (cookie: string): string => cookie.split('=')[1]?.split('.')[0] ?? ''

/** As when the owner's roles change: the session is renewed by its next request. Gives the next cookie. */
export async function renewCookie(
  { owner, request }: Pick<TestPie, 'owner' | 'request'>,
  cookie: string,
): Promise<string> {
  await owner.query('update pie_private.sessions set expires_at = now() where id = $1', [
    idOfCookie(cookie),
  ])
  return untilRenewed({ request }, cookie)
}

/** The next cookie, once the node has heard that the session is to be renewed. */
export async function untilRenewed(
  { request }: Pick<TestPie, 'request'>,
  cookie: string,
): Promise<string> {
  let next: string | null = null
  await until(async () => {
    next = cookieOf(await request('/auth/session', { headers: { cookie } }))
    return next !== null
  })
  return next ?? ''
}
