import pg from 'pg'
import type { Secret } from '../crypto/secret.ts'
import { checkPrimary, HeldUp, ReadOnlyRole } from './check-primary.ts'
import { clientConfigOf } from './client-config.ts'
import type { Lineage } from './lineage.ts'
import { livableTimeouts, pinnedSettings, pinningOptions, type RunsSql } from './pinned-settings.ts'
import { eachHost, type PostgresAddress, readAddress } from './postgres-address.ts'

/**
 * How a role connects. While SECRET_KEY is being changed, its password may be the one of any key, and may become
 * another's at any time; and of several hosts, another may become the primary. A running node then goes on with that.
 */
export interface Login {
  /** Where to connect, with the host, the password and the settings that are tried now. */
  config(): pg.ClientConfig
  /** The same, in parts. */
  address(): PostgresAddress
  /**
   * Whether a connection failed because of the password, the host, or a pooler that takes no settings, and there is
   * something else to try from now on.
   */
  tryNext(error: unknown): boolean
  /** How many combinations there are. */
  tries: number
  /**
   * Looks at a new connection, before anything is asked on it.
   * @throws NotPrimary; OldPrimary
   */
  check(client: pg.ClientBase): Promise<void>
}

export interface LoginOptions {
  runs?: RunsSql
  /** Of nodes, which cannot serve where nothing can be changed. An operator's command may be what mends that. */
  mustWrite?: boolean
  /** Null for what is over before a standby could be promoted. */
  lineage?: Lineage | null
  /** Whether settings go with the startup packet, and outlive a `reset all`. Poolers refuse them, and complain. */
  takesOptions?: boolean
}

/** How many connections may be under way, and fail, before the first that is helped has come to be. */
const MOST_UNDER_WAY = 20

/** @param urls one address, or several that differ in the password, the likeliest first */
export function createLogin(
  urls: Secret | readonly Secret[],
  { runs = 'any', mustWrite = false, lineage = null, ...options }: LoginOptions = {},
): Login {
  const byPassword = [urls].flat().map((url) => eachHost(readAddress(url.revealText())))
  const passwords = byPassword.length
  const hosts = byPassword[0]?.length ?? 0
  let current = 0
  let takesOptions = options.takesOptions ?? false
  let areOptionsPassed = true
  /** What holds the role up that it may have set for itself, and what sets it right. */
  const helping = new Map<string, number>()
  const address = () =>
    byPassword[current % passwords]?.[Math.floor(current / passwords)] as PostgresAddress
  // Where one connection has found the new primary, the others need not search.
  lineage?.onNewer(() => {
    const at = byPassword[0]?.findIndex((one) => hostOf(one) === lineage.host()) ?? -1
    if (at >= 0) current = at * passwords + (current % passwords)
  })
  const wanted = byPassword[0]?.[0]?.parameters['target_session_attrs']
  const isWritableWanted = wanted === 'read-write' || (wanted === undefined && hosts > 1)
  const pinned = pinnedSettings(runs, byPassword[0]?.[0]?.parameters['options'])
  const helped = { ...livableTimeouts, ...pinned }
  const settings = () => (helping.size > 0 ? helped : pinned)
  return {
    config: () => {
      const config = clientConfigOf(address())
      // What the address says is among the settings, but for the owner's.
      if (!takesOptions)
        return { ...config, options: runs === 'owners' ? config.options : undefined }
      const all = [config.options, pinningOptions(settings()), ...helping.keys()]
      return { ...config, options: all.filter(Boolean).join(' ') }
    },
    address,
    tryNext: (error) => {
      if (takesOptions && areOptionsRefused(error)) {
        takesOptions = false
        areOptionsPassed = false
        return true
      }
      const help = runs === 'owners' ? null : helpFor(error)
      const timesHelped = helping.get(help ?? '') ?? 0
      if (help !== null && timesHelped < MOST_UNDER_WAY) {
        takesOptions = areOptionsPassed
        helping.set(help, timesHelped + 1)
        return true
      }
      // Every password of a host, then the next host.
      if (isPasswordRefused(error)) current += 1
      else if (isHostUnfit(error) && hosts > 1) current += passwords - (current % passwords)
      else return false
      current %= passwords * hosts
      return passwords * hosts > 1
    },
    tries: passwords * hosts + 3,
    check: (client) =>
      checkPrimary(client, {
        settings: settings(),
        isHelped: helping.size > 0 || runs === 'owners',
        mustWrite: mustWrite || isWritableWanted,
        lineage,
      }),
  }
}

const hostOf = ({ hosts: [first] }: PostgresAddress): string =>
  `${first?.host ?? 'localhost'}:${first?.port ?? 5432}`

/** PgBouncer has no SQLSTATE of its own for it: 08P01, protocol_violation, and words. */
export function isPasswordRefused(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return false
  return (
    error.code === '28P01' ||
    (error.code === '08P01' && /authentication failed/.test(error.message))
  )
}

/** What may be set by SQL that got in through a hole, for as long as nobody looks: the startup packet comes before it. */
function helpFor(error: unknown): string | null {
  if (error instanceof HeldUp) return ''
  if (error instanceof ReadOnlyRole) return '-c default_transaction_read_only=off'
  if (!(error instanceof pg.DatabaseError)) return null
  const { code = '' } = error
  // SQLSTATE query_canceled, idle_session_timeout, idle_in_transaction_session_timeout, undefined_file (of a library)
  if (['57014', '57P05', '25P03', '58P01'].includes(code)) return ''
  // transaction_timeout, which there is from 17 on
  return code === '25P04' ? '-c transaction_timeout=0' : null
}

/** Poolers pass few settings on, and many of them none: PgBouncer says 08P01, others 0A000. */
function areOptionsRefused(error: unknown): boolean {
  return (
    error instanceof pg.DatabaseError &&
    ['08P01', '0A000'].includes(error.code ?? '') &&
    /startup parameter|options/.test(error.message)
  )
}

/** It does not answer, is starting or stopping (SQLSTATE class 57P), or is no primary. A pool that is merely busy is not unfit. */
function isHostUnfit(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return error.code?.startsWith('57P') ?? false
  return !(error instanceof Error && /exceeded when trying to connect/.test(error.message))
}
