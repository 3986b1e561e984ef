/** The login roles whose passwords are derived from SECRET_KEY. */
import type pg from 'pg'
import type { DerivedKeys } from '../crypto/derive-keys.ts'
import type { Secret } from '../crypto/secret.ts'
import { OperatorError } from '../errors.ts'
import { connectClient } from './connect-client.ts'
import { createLogin, isPasswordRefused } from './login.ts'
import { asLogin } from './login-address.ts'
import { hasConnected } from './lost-connection.ts'
import { scramVerifier } from './scram-verifier.ts'

/** Which derived key is the password of each. */
const derivedPasswords = { pie_auth: 'authRolePassword', cream: 'requestRolePassword' } as const

export type LoginRole = keyof typeof derivedPasswords

/**
 * The addresses of a login role, the one whose password fits first. Any key of SECRET_KEY may be the one that the password
 * was made from, so that SECRET_KEY can be changed one node at a time. Changes nothing.
 *
 * @param directUrl the owner's address past a pooler, where it is tried which password fits: a pooler may
 *   refuse a role for reasons of its own
 */
export async function findLoginUrls(
  owner: pg.Client,
  ownerUrl: Secret,
  role: LoginRole,
  keys: readonly DerivedKeys[],
  directUrl: Secret = ownerUrl,
): Promise<[Secret, ...Secret[]]> {
  return (await tryLogins(owner, ownerUrl, role, keys, directUrl)).urls
}

/**
 * The same at a start: when none fits, the password is set to the first key's.
 * @throws OperatorError when another database of the same server lives by the password that is set now
 */
export async function prepareLoginRole(
  owner: pg.Client,
  ownerUrl: Secret,
  role: LoginRole,
  keys: readonly DerivedKeys[],
  directUrl: Secret = ownerUrl,
): Promise<[Secret, ...Secret[]]> {
  const { urls, fits } = await tryLogins(owner, ownerUrl, role, keys, directUrl)
  if (!fits) await setRolePassword(owner, role, keys)
  return urls
}

async function tryLogins(
  owner: pg.Client,
  ownerUrl: Secret,
  role: LoginRole,
  keys: readonly DerivedKeys[],
  directUrl: Secret,
): Promise<{ urls: [Secret, ...Secret[]]; fits: boolean }> {
  const { rows } = await owner.query<{ name: string }>('select session_user as name')
  const at = (url: Secret, key: DerivedKeys) =>
    asLogin(url, rows[0]?.name ?? '', role, key[derivedPasswords[role]])
  const urls = keys.map((key) => at(ownerUrl, key)) as [Secret, ...Secret[]]
  for (const [index, key] of keys.entries()) {
    if (!(await canConnect(at(directUrl, key), role))) continue
    const [url] = urls.splice(index, 1)
    return { urls: [url as Secret, ...urls], fits: true }
  }
  return { urls, fits: false }
}

/** Whether the password of a login role is the one that a key makes. It asks Postgres, and waits 5 seconds for each key at most. */
export async function isRolePasswordKnown(
  owner: pg.Client,
  ownerUrl: Secret,
  role: LoginRole,
  keys: readonly DerivedKeys[],
): Promise<boolean> {
  return (await tryLogins(owner, ownerUrl, role, keys, ownerUrl)).fits
}

/**
 * Only a password that is refused does not fit: a role that may not log in, or has no connection left, has one all the same.
 * @throws OperatorError
 */
async function canConnect(url: Secret, role: LoginRole): Promise<boolean> {
  try {
    const client = await connectClient(createLogin(url, { takesOptions: true }), {
      connectionTimeoutMillis: 5_000,
    })
    await client.end().catch(() => {})
    return true
  } catch (cause) {
    if (isPasswordRefused(cause)) return false
    if (hasConnected(cause)) return true
    throw new OperatorError(
      `Could not connect as the database role ${role}: ${(cause as Error).message || cause}. Its password was not changed. ` +
        'pie doctor says whether somebody has changed the role.',
      { cause },
    )
  }
}

/**
 * Before anything is migrated: whether a start would have to take a role's password from another Pie on this server.
 * @throws OperatorError
 */
export async function checkLoginRole(
  owner: pg.Client,
  ownerUrl: Secret,
  role: LoginRole,
  keys: readonly DerivedKeys[],
  directUrl: Secret,
): Promise<void> {
  const { rows } = await owner.query('select from pg_catalog.pg_roles where rolname = $1', [role])
  if (rows.length === 0) return
  const { rows: others } = await owner.query(otherDatabases, [role])
  if (others.length === 0) return
  const { fits } = await tryLogins(owner, ownerUrl, role, keys, directUrl)
  if (!fits) await checkNobodyElse(owner, role)
}

/**
 * Sets a login role's password to the one of the first key of SECRET_KEY. Nodes that have that key, in
 * whichever place, go on. Only a start and `pie secret rotate` do this.
 *
 * @throws OperatorError when it may not, or another Pie on this server would stop working
 */
export async function setRolePassword(
  owner: pg.Client,
  role: LoginRole,
  keys: readonly DerivedKeys[],
  check: typeof checkNobodyElse = checkNobodyElse,
): Promise<void> {
  const [key] = keys
  if (key === undefined) throw new OperatorError('There is no SECRET_KEY.')
  await check(owner, role)
  try {
    const verifier = scramVerifier(key[derivedPasswords[role]])
    await owner.query(`alter role ${role} password ${owner.escapeLiteral(verifier)}`)
  } catch (cause) {
    throw new OperatorError(
      `Could not set the password of the database role ${role}: ${(cause as Error).message}. ` +
        `Set it yourself, and set ${settingOf(role)}.`,
      { cause },
    )
  }
}

const settingOf = (role: LoginRole): string =>
  role === 'cream' ? 'REQUEST_DATABASE_URL' : 'AUTH_DATABASE_URL'

/** Roles are the server's: whoever sets a password sets it for the Pies of all its databases. */
async function checkNobodyElse(owner: pg.Client, role: LoginRole): Promise<void> {
  const { rows } = await owner.query<{ other: string }>(otherDatabases, [role])
  const [first] = rows
  if (first === undefined) return
  throw new OperatorError(
    `The database role ${role} has another password than this SECRET_KEY makes, and there is another Pie on this server that ` +
      `lives by it, in the database ${first.other}. Its password was not changed: roles belong to the whole server. Give both the ` +
      'same SECRET_KEY; or, to keep the keys apart, set passwords of your own for pie_auth and cream, and AUTH_DATABASE_URL and ' +
      'REQUEST_DATABASE_URL for both. If no node of the other one runs, and none will: pie secret rotate --set-passwords.',
  )
}

/** In which the role has been granted something, as every migrated one has. */
const otherDatabases = `
  select distinct pg_database.datname as other
  from pg_catalog.pg_shdepend join pg_catalog.pg_database on pg_database.oid = pg_shdepend.dbid
  where pg_shdepend.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
    and pg_shdepend.refobjid = (select pg_roles.oid from pg_catalog.pg_roles where pg_roles.rolname = $1)
    and pg_shdepend.deptype = 'a'
    and pg_database.datname <> pg_catalog.current_database()
    and pg_database.datallowconn
  order by other`

/**
 * For whoever says so: nobody else is connected as the role now.
 * @throws OperatorError
 */
export async function checkNobodyConnected(owner: pg.Client, role: LoginRole): Promise<void> {
  const { rows } = await owner.query<{ datname: string }>(
    `select datname from pg_catalog.pg_stat_activity where usename = $1 and datname <> pg_catalog.current_database() limit 1`,
    [role],
  )
  const [other] = rows
  if (other !== undefined)
    throw new OperatorError(
      `A node is connected as ${role} to the database ${other.datname}, and would lose its password. Nothing was changed.`,
    )
}
