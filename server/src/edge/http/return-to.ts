import type { Policy } from '../../ground/policy.ts'
import { ownOrigins } from '../request/own-origins.ts'

/** Anything but printable ASCII: browsers drop tabs and line breaks, and read some letters as others. */
const unclear = /[^\x21-\x7e]/

/** What must not come out of percent-encoding either: controls, and the backslash that reads as a slash. */
const hidden = /[\p{Cc}\\]/u

/**
 * Where to send a browser next: a path of this origin, or an address of an allowed one. What a request
 * may not choose becomes `/`, so nobody's link leads from here to elsewhere.
 */
export function readReturnTo(policy: Pick<Policy, 'service'>, text: string | undefined): string {
  if (text === undefined || unclear.test(text) || hidesSomething(text)) return '/'
  const [own = ''] = ownOrigins(policy)
  if (!URL.canParse(text, own)) return '/'
  const url = new URL(text, own)
  const isPath = /^\/(?!\/)/.test(text) && url.origin === own
  const isAllowed =
    url.username === '' &&
    url.password === '' &&
    [...ownOrigins(policy), ...policy.service.allowedOrigins].some(
      (origin) => text === origin || text.startsWith(`${origin}/`),
    )
  return isPath || isAllowed ? text : '/'
}

/** Looks under every layer of percent-encoding. What is not even encoded right may hide anything. */
function hidesSomething(text: string): boolean {
  let inner = text
  try {
    for (;;) {
      const next = decodeURIComponent(inner)
      if (next === inner) return hidden.test(inner)
      inner = next
    }
  } catch {
    return inner === text || hidden.test(inner)
  }
}
