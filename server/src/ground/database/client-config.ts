import tls from 'node:tls'
import type pg from 'pg'
import { parse, toClientConfig } from 'pg-connection-string'
import { AddressedClient } from './addressed-client.ts'
import { type PostgresAddress, passedOn } from './postgres-address.ts'

/**
 * How `pg` connects to the first host of an address. Reads the files that sslrootcert, sslcert and sslkey name. Of the
 * process's environment, `pg` then takes who connects (PGUSER) and the password (PGPASSWORD, or ~/.pgpass), where the address
 * does not say.
 */
export function clientConfigOf({
  hosts,
  user,
  password,
  database,
  parameters,
}: PostgresAddress): pg.PoolConfig {
  const [first] = hosts
  return {
    // Pools make theirs of it.
    Client: AddressedClient,
    ...fromNowhereElse,
    ...otherSettings(parameters),
    host: first?.host ?? 'localhost',
    port: first?.port ?? 5432,
    ...(user !== null && { user }),
    ...(password !== null && { password: password.revealText() }),
    ...(database !== null && { database }),
  }
}

/** What `pg` would otherwise take from PGSSLMODE, PGSSLNEGOTIATION and PGCLIENT_ENCODING. */
const fromNowhereElse: pg.ClientConfig = {
  ssl: false,
  sslnegotiation: 'postgres',
  client_encoding: 'utf8',
}

/** What TLS and the rest come to is the library's to say, except for the root certificates of the system. */
function otherSettings(parameters: PostgresAddress['parameters']): pg.ClientConfig {
  const { sslrootcert, ...others } = Object.fromEntries(
    Object.entries(parameters).filter(([name]) => passedOn.has(name)),
  )
  const isSystem = sslrootcert === 'system'
  const query = new URLSearchParams({
    ...others,
    // As in libpq: whoever trusts every CA of the system wants the name to fit.
    ...(isSystem && { sslmode: 'verify-full' }),
    ...(!isSystem && sslrootcert !== undefined && { sslrootcert }),
  })
  const {
    user: _user,
    password: _password,
    host: _host,
    port: _port,
    database: _database,
    ...config
  } = toClientConfig(parse(`postgres://localhost/?${String(query).replaceAll('+', '%20')}`))
  return { ...config, ...(isSystem && { ssl: { ca: systemCertificates() } }) } as pg.ClientConfig
}

/** And those that Node brings; they are all that there is before it can read the system's (22.15). */
function systemCertificates(): string {
  const read = tls.getCACertificates
  const all = read === undefined ? tls.rootCertificates : [...read('system'), ...read('default')]
  return all.join('\n')
}
