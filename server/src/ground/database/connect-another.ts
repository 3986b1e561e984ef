import type pg from 'pg'
import { AddressedClient } from './addressed-client.ts'
import { pinOwnersSettings } from './pin-settings.ts'

/** What a client of pg's has been told, from the address or otherwise. */
interface Connected {
  connectionParameters: pg.ClientConfig
  ssl: pg.ClientConfig['ssl']
  password: string | null
}

/** Another connection of the owner's, to where a first one leads. To be ended. */
export async function connectAnother(owner: pg.Client): Promise<pg.Client> {
  const { connectionParameters, ssl, password } = owner as unknown as Connected
  const another = new AddressedClient({
    application_name: 'pie owner',
    host: owner.host,
    port: owner.port,
    database: owner.database ?? '',
    user: owner.user ?? '',
    ...(connectionParameters.options !== undefined && { options: connectionParameters.options }),
    ...(password !== null && { password }),
    ...(ssl && { ssl }),
    connectionTimeoutMillis: 10_000,
  })
  another.on('error', () => {})
  await another.connect()
  await pinOwnersSettings(another)
  // What it holds, it holds for as long as the first one works.
  await another.query(
    `select pg_catalog.set_config(name, '0', false) from pg_catalog.pg_settings
     where name in ('idle_in_transaction_session_timeout', 'transaction_timeout', 'idle_session_timeout')`,
  )
  return another
}
