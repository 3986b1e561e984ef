/**
 * The addresses of login roles, made from the owner's. Some poolers (Supabase's) are given
 * `postgres.project` where the role is `postgres`: what follows the role's name belongs to the address.
 */
import { Secret } from '../crypto/secret.ts'

/** @param owner the role that `ownerUrl` connects as, as Postgres names it */
export function asLogin(ownerUrl: Secret, owner: string, login: string, password: Secret): Secret {
  const address = new URL(ownerUrl.revealText())
  address.username = `${login}${whatFollows(owner, nameIn(address))}`
  address.password = password.revealText()
  return Secret.fromText(address.href)
}

/** The same address with a password. */
export function withPassword(url: Secret, password: Secret): Secret {
  const address = new URL(url.revealText())
  address.password = password.revealText()
  return Secret.fromText(address.href)
}

/** The same login at the owner's other address. */
export function atOtherAddress(login: Secret, ownerUrl: Secret, otherUrl: Secret): Secret {
  const from = new URL(login.revealText())
  const to = new URL(otherUrl.revealText())
  const here = nameIn(new URL(ownerUrl.revealText()))
  const there = nameIn(to)
  const name = nameIn(from)
  const project = whatFollows(there, here)
  const bare = project !== '' && name.endsWith(project) ? name.slice(0, -project.length) : name
  to.username = `${bare}${whatFollows(here, there)}`
  to.password = from.password
  return Secret.fromText(to.href)
}

const nameIn = ({ username }: URL): string => decodeURIComponent(username)

/** `.project` */
const whatFollows = (name: string, whole: string): string =>
  whole.startsWith(`${name}.`) ? whole.slice(name.length) : ''
