import type { Routine } from '../../catalog/catalog.ts'
import { bodyOf } from './body-of.ts'
import { isSign } from './find-names.ts'
import { type Given, placesOf } from './given-in.ts'
import type { Token } from './read-tokens.ts'

/** Whoever knows one has shown who they are. */
const credential =
  /token|secret|passw|passcode|hash|api_?key|access_?key|signature|otp|nonce|challenge|verifier|proof|cookie|session|invit|(?:^|p_|join_|access_|reset_|confirm\w*_|verif\w*_|login_|backup_|recovery_|magic_|share_|redeem_)(?:code|key)$/i

const hashes = new Set(['digest', 'hmac', 'crypt', 'sha224', 'sha256', 'sha384', 'sha512', 'md5'])

/**
 * Whether a function asks for something that only one person knows: an argument that is called so, and is compared with
 * a column that is called so, or is hashed. One that is there and decides nothing shows nothing.
 */
export function showsCredential(routine: Routine, { names }: Given): boolean {
  const secret = new Set([...names].filter((name) => credential.test(nameOf(routine, name))))
  if (secret.size === 0) return false
  const tokens = bodyOf(routine)
  return placesOf(tokens, { names: secret, routine }).some((place) => decides(tokens, place))
}

const nameOf = ({ argumentNames }: Routine, name: string): string =>
  name.startsWith('$') ? (argumentNames[Number(name.slice(1)) - 1] ?? '') : name

/** Out of the calls and brackets that it stands in, as far as what it is compared with. */
function decides(tokens: readonly Token[], place: number): boolean {
  let [from, to] = [isSign(tokens[place - 1], '.') ? place - 2 : place, place + 1]
  for (let depth = 0; depth < 8; depth += 1) {
    to = afterCasts(tokens, to)
    const sides = [sideBefore(tokens, from), sideAfter(tokens, to)]
    if (sides.some((name) => name !== null && credential.test(name))) return true
    const open = openingBefore(tokens, from)
    if (open === -1) return false
    const callee = tokens[open - 1]
    if (callee !== undefined && hashes.has(callee.value)) return true
    from = callee?.type === 'word' || callee?.type === 'name' ? open - 1 : open
    while (isSign(tokens[from - 1], '.')) from -= 2
    to = closingAfter(tokens, to) + 1
  }
  return false
}

function afterCasts(tokens: readonly Token[], to: number): number {
  let end = to
  while (isSign(tokens[end], '::')) end += 2
  return end
}

/** `token = ` before it. */
function sideBefore(tokens: readonly Token[], from: number): string | null {
  return isSign(tokens[from - 1], '=') ? (tokens[from - 2]?.value ?? null) : null
}

function sideAfter(tokens: readonly Token[], to: number): string | null {
  if (!isSign(tokens[to], '=')) return null
  let end = to + 1
  while (isSign(tokens[end + 1], '.')) end += 2
  return tokens[end]?.value ?? null
}

function openingBefore(tokens: readonly Token[], from: number): number {
  let depth = 0
  for (let place = from - 1; place >= 0; place -= 1) {
    if (isSign(tokens[place], ';')) return -1
    if (isSign(tokens[place], ')')) depth += 1
    if (isSign(tokens[place], '(') && depth === 0) return place
    if (isSign(tokens[place], '(')) depth -= 1
  }
  return -1
}

function closingAfter(tokens: readonly Token[], to: number): number {
  let depth = 0
  for (let place = to; place < tokens.length; place += 1) {
    if (isSign(tokens[place], '(')) depth += 1
    if (isSign(tokens[place], ')') && depth === 0) return place
    if (isSign(tokens[place], ')')) depth -= 1
  }
  return tokens.length
}
