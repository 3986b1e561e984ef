/** Where the two login roles connect. */
import type pg from 'pg'
import type { Secret } from '../ground/crypto/secret.ts'
import { atOtherAddress, withPasswords } from '../ground/database/login-address.ts'
import {
  checkLoginRole,
  findLoginUrls,
  type LoginRole,
  prepareLoginRole,
} from '../ground/database/login-roles.ts'
import type { Config } from '../settings/read-config.ts'
import type { OwnerUrls } from './find-database.ts'
import type { Keys } from './read-keys.ts'

/** The address of each, or several that differ in the password, the likeliest first. */
export interface LoginUrls {
  auth: readonly [Secret, ...Secret[]]
  requests: readonly [Secret, ...Secret[]]
}

type Given = Pick<Config, 'AUTH_DATABASE_URL' | 'REQUEST_DATABASE_URL'>

/** As configured, or the owner's address with derived passwords, the one that fits first. Changes nothing. */
export function findLogins(
  owner: pg.Client,
  given: Given,
  urls: OwnerUrls,
  keys: Keys,
): Promise<LoginUrls> {
  return eachLogin(given, keys, (role) =>
    findLoginUrls(owner, urls.url, role, keys, urls.directUrl),
  )
}

/** The same at a start, which sets a derived password where none fits. */
export function prepareLogins(
  owner: pg.Client,
  given: Given,
  urls: OwnerUrls,
  keys: Keys,
): Promise<LoginUrls> {
  return eachLogin(given, keys, (role) =>
    prepareLoginRole(owner, urls.url, role, keys, urls.directUrl),
  )
}

/** Before a start changes anything: whether it would have to take a password from somebody else. */
export async function checkLogins(
  owner: pg.Client,
  given: Given,
  urls: OwnerUrls,
  keys: Keys,
): Promise<void> {
  if (given.AUTH_DATABASE_URL === null)
    await checkLoginRole(owner, urls.url, 'pie_auth', keys, urls.directUrl)
  if (given.REQUEST_DATABASE_URL === null)
    await checkLoginRole(owner, urls.url, 'cream', keys, urls.directUrl)
}

/** The addresses that a node is given which has not got the owner's. */
export function givenLogins(
  { AUTH_DATABASE_URL: auth, REQUEST_DATABASE_URL: requests }: { [Name in keyof Given]: Secret },
  keys: Keys,
): LoginUrls {
  return {
    auth: withPasswords(
      auth,
      keys.map((key) => key.authRolePassword),
    ),
    requests: withPasswords(
      requests,
      keys.map((key) => key.requestRolePassword),
    ),
  }
}

async function eachLogin(
  { AUTH_DATABASE_URL: auth, REQUEST_DATABASE_URL: requests }: Given,
  keys: Keys,
  derive: (role: LoginRole) => Promise<[Secret, ...Secret[]]>,
): Promise<LoginUrls> {
  const passwords = (name: 'authRolePassword' | 'requestRolePassword') =>
    keys.map((key) => key[name])
  return {
    auth:
      auth === null ? await derive('pie_auth') : withPasswords(auth, passwords('authRolePassword')),
    requests:
      requests === null
        ? await derive('cream')
        : withPasswords(requests, passwords('requestRolePassword')),
  }
}

/**
 * Where pie_auth listens for changes: past a pooler, which passes no notices on.
 * @param url the address that DIRECT_DATABASE_URL is the other one of
 */
export function findListenUrls(
  auth: readonly Secret[],
  url: Secret,
  direct: Secret | null,
): readonly Secret[] {
  return direct === null ? auth : auth.map((login) => atOtherAddress(login, url, direct))
}
