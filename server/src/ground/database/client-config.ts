import tls from 'node:tls'
import type pg from 'pg'
import { parse, toClientConfig } from 'pg-connection-string'
import type { PostgresAddress } from './postgres-address.ts'

/** How `pg` connects to the first host of an address. Reads the files that sslrootcert, sslcert and sslkey name. */
export function clientConfigOf({
  hosts,
  user,
  password,
  database,
  parameters,
}: PostgresAddress): pg.ClientConfig {
  const [first] = hosts
  return {
    ...otherSettings(parameters),
    ...(first !== undefined && { host: first.host }),
    ...(first?.port != null && { port: first.port }),
    ...(user !== null && { user }),
    ...(password !== null && { password: password.revealText() }),
    ...(database !== null && { database }),
  }
}

/** What TLS and the rest come to is the library's to say, except for the root certificates of the system. */
function otherSettings(parameters: PostgresAddress['parameters']): pg.ClientConfig {
  const { target_session_attrs: _, sslrootcert, ...others } = parameters
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
