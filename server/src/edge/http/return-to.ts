import type { Policy } from '../../ground/ground.ts'
import { ownOrigins } from './cross-origin.ts'

/**
 * Anything but printable ASCII, and the backslash: characters that browsers drop or read as something
 * else, so that an address means two things.
 */
const unclear = /[^\x21-\x5b\x5d-\x7e]/

/**
 * Where to send a browser next: a path of this origin, or an address of an allowed one. What a request
 * may not choose becomes `/`, so nobody's link leads from here to elsewhere.
 */
export function readReturnTo(policy: Policy, text: string | undefined): string {
  if (text === undefined || unclear.test(text) || unclear.test(decoded(text))) return '/'
  const [own = ''] = ownOrigins(policy)
  if (!URL.canParse(text, own)) return '/'
  const url = new URL(text, own)
  const isPath = /^\/(?!\/)/.test(text) && url.origin === own
  const isAllowed =
    url.username === '' &&
    url.password === '' &&
    [...ownOrigins(policy), ...policy.allowedOrigins].some(
      (origin) => text === origin || text.startsWith(`${origin}/`),
    )
  return isPath || isAllowed ? text : '/'
}

/** With every layer of percent-encoding taken off; a control character where that cannot be done. */
function decoded(text: string): string {
  try {
    for (let inner = text; ; ) {
      const outer = inner
      inner = decodeURIComponent(outer)
      if (inner === outer) return inner
    }
  } catch {
    return '\u0000'
  }
}
