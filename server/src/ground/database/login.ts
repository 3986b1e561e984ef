import pg from 'pg'
import type { Secret } from '../crypto/secret.ts'
import { clientConfigOf } from './client-config.ts'
import { eachHost, type PostgresAddress, readAddress } from './postgres-address.ts'

/**
 * How a role connects. While SECRET_KEY is being changed, its password may be the one of any key, and may become
 * another's at any time; and of several hosts, another may become the primary. A running node then goes on with that.
 */
export interface Login {
  /** Where to connect, with the host and the password that are tried now. */
  config(): pg.ClientConfig
  /** The same, in parts. */
  address(): PostgresAddress
  /** Whether a connection failed because of the password or the host, and there is another to try from now on. */
  tryNext(error: unknown): boolean
  /** How many combinations there are. */
  tries: number
  /**
   * Looks, on a new connection, whether this is the primary, where the address names several hosts or asks for it.
   * @throws NotPrimary
   */
  check(client: pg.ClientBase): Promise<void>
}

/** The server answers, and takes no changes. */
export class NotPrimary extends Error {
  constructor(host: string) {
    super(`${host} is a standby, or takes no changes: default_transaction_read_only`)
  }
}

/** @param urls one address, or several that differ in the password, the likeliest first */
export function createLogin(urls: Secret | readonly Secret[]): Login {
  const byPassword = [urls].flat().map((url) => eachHost(readAddress(url.revealText())))
  const passwords = byPassword.length
  const hosts = byPassword[0]?.length ?? 0
  let current = 0
  const address = () =>
    byPassword[current % passwords]?.[Math.floor(current / passwords)] as PostgresAddress
  const wanted = byPassword[0]?.[0]?.parameters['target_session_attrs']
  const isPrimaryWanted = wanted === undefined ? hosts > 1 : wanted !== 'any'
  return {
    config: () => clientConfigOf(address()),
    address,
    tryNext: (error) => {
      // Every password of a host, then the next host.
      if (isPasswordRefused(error)) current += 1
      else if (isHostUnfit(error) && hosts > 1) current += passwords - (current % passwords)
      else return false
      current %= passwords * hosts
      return passwords * hosts > 1
    },
    tries: passwords * hosts,
    check: async (client) => {
      if (isPrimaryWanted && (await takesNoChanges(client)))
        throw new NotPrimary(address().hosts[0]?.host ?? 'localhost')
    },
  }
}

async function takesNoChanges(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ is_read_only: boolean }>(
    `select pg_catalog.pg_is_in_recovery() or pg_catalog.current_setting('default_transaction_read_only')::bool as is_read_only`,
  )
  return rows[0]?.is_read_only === true
}

/** PgBouncer has no SQLSTATE of its own for it: 08P01, protocol_violation, and words. */
export function isPasswordRefused(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return false
  return (
    error.code === '28P01' ||
    (error.code === '08P01' && /authentication failed/.test(error.message))
  )
}

/** It does not answer, is starting or stopping (SQLSTATE class 57P), or is no primary. A pool that is merely busy is not unfit. */
function isHostUnfit(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return error.code?.startsWith('57P') ?? false
  return !(error instanceof Error && /exceeded when trying to connect/.test(error.message))
}
