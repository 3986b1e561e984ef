/**
 * The addresses of login roles, made from the owner's. Some poolers (Supabase's) are given
 * `postgres.project` where the role is `postgres`: what follows the role's name belongs to the address.
 */
import { Secret } from '../crypto/secret.ts'
import { type PostgresAddress, readAddress, writeAddress } from './postgres-address.ts'

/** @param owner the role that `ownerUrl` connects as, as Postgres names it */
export function asLogin(ownerUrl: Secret, owner: string, login: string, password: Secret): Secret {
  const address = read(ownerUrl)
  const user = `${login}${whatFollows(owner, address.user ?? '')}`
  // Where it names no database, that is called as the owner, and not as the login.
  return write({ ...address, user, password, database: address.database ?? owner })
}

/**
 * The addresses of a login that the operator has given: one without a password gets that which each key of SECRET_KEY
 * makes, since any may have made it.
 */
export function withPasswords(url: Secret, passwords: readonly Secret[]): [Secret, ...Secret[]] {
  const address = read(url)
  if (address.password !== null) return [url]
  return passwords.map((password) => write({ ...address, password })) as [Secret, ...Secret[]]
}

/** The same login at the owner's other address. */
export function atOtherAddress(login: Secret, ownerUrl: Secret, otherUrl: Secret): Secret {
  const from = read(login)
  const to = read(otherUrl)
  const [here, there] = [read(ownerUrl).user ?? '', to.user ?? '']
  const name = from.user ?? ''
  const project = whatFollows(there, here)
  const bare = project !== '' && name.endsWith(project) ? name.slice(0, -project.length) : name
  return write({ ...to, user: `${bare}${whatFollows(here, there)}`, password: from.password })
}

/** Who connects there, as the address has it. */
export const loginOf = (url: Secret): string | null => read(url).user

/** What `pie database` shows unasked. */
export const withoutPassword = (url: Secret): string =>
  writeAddress({ ...read(url), password: null })

const read = (url: Secret): PostgresAddress => readAddress(url.revealText())
const write = (address: PostgresAddress): Secret => Secret.fromText(writeAddress(address))

/** `.project` */
const whatFollows = (name: string, whole: string): string =>
  whole.startsWith(`${name}.`) ? whole.slice(name.length) : ''
