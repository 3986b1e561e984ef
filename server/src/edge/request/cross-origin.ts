import { Refusal } from '../../ground/errors.ts'
import type { Policy } from '../../ground/policy.ts'
import type { ShownRequest } from './shown-request.ts'

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Whether a request may change something (RFC 9110 section 9.2.1). */
export const isUnsafe = ({ method }: ShownRequest): boolean => !safeMethods.has(method)

/** The origins of Pie's own pages. On a laptop the two names of this machine are one. */
export function ownOrigins({ service: { origin } }: Pick<Policy, 'service'>): string[] {
  const isLaptop = origin.startsWith('http://localhost:')
  return isLaptop ? [origin, origin.replace('localhost', '127.0.0.1')] : [origin]
}

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
  throw new Refusal('cross_origin')
}

function isKnown(policy: Pick<Policy, 'service'>, origin: string): boolean {
  return ownOrigins(policy).includes(origin) || policy.service.allowedOrigins.includes(origin)
}
