import { Refusal } from '../../ground/errors.ts'
import type { Policy } from '../../ground/policy.ts'
import { isLaptop, isLoopback, ownOrigins } from './own-origins.ts'
import type { ShownRequest } from './shown-request.ts'

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Whether a request may change something (RFC 9110 section 9.2.1). */
export const isUnsafe = ({ method }: ShownRequest): boolean => !safeMethods.has(method)

/**
 * Refuses what a page of another site makes a browser send, whether or not there is a cookie: signing
 * somebody in to an account that is not theirs is an attack too.
 *
 * What the browser says of itself comes first (Fetch Metadata); where it says nothing, the Origin
 * header. Programs send neither, and have no cookies that a page could make use of.
 *
 * @throws Refusal `cross_origin`
 */
export function checkOrigin(policy: Pick<Policy, 'service'>, { headers }: ShownRequest): void {
  const { origin } = headers
  const site = headers['sec-fetch-site']
  if (origin === undefined ? site === undefined : isKnown(policy, origin)) return
  // A page with a strict referrer policy, as Pie's own, sends its forms with `Origin: null`.
  if (site === 'same-origin' && (origin === undefined || origin === 'null')) return
  if (site === 'none' && origin === undefined) return
  if (origin !== undefined && isFromThisMachine(policy, origin, headers)) return
  throw new Refusal('cross_origin')
}

function isKnown(policy: Pick<Policy, 'service'>, origin: string): boolean {
  const { origin: own, allowedOrigins } = policy.service
  return origin === own || allowedOrigins.includes(origin) || ownOrigins(policy).includes(origin)
}

/**
 * On a laptop, a page of the very address that it sends to, by whichever of this machine's names: 127.0.0.2, another port
 * before a development server that passes it on. Nowhere else: there, a name leads where its owner says (DNS rebinding).
 */
function isFromThisMachine(
  { service }: Pick<Policy, 'service'>,
  origin: string,
  { host, 'sec-fetch-site': site = 'same-origin' }: ShownRequest['headers'],
): boolean {
  if (site !== 'same-origin' || !isLaptop(service.origin)) return false
  const page = URL.canParse(origin) ? new URL(origin) : null
  return page !== null && origin === `http://${host}` && isLoopback(page.hostname)
}
