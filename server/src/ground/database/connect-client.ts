import pg from 'pg'
import type { Login } from './login.ts'

/**
 * A connection of its own, of the first host and with the first password that fit. To be ended.
 * @param prepare is given each client before it connects
 * @throws what the last try failed with
 */
export async function connectClient(
  login: Login,
  settings: pg.ClientConfig,
  prepare: (client: pg.Client) => void = () => {},
): Promise<pg.Client> {
  for (let triesLeft = login.tries; ; triesLeft -= 1) {
    const client = new pg.Client({ application_name: 'pie', ...login.config(), ...settings })
    client.on('error', () => {})
    prepare(client)
    try {
      await client.connect()
      await login.check(client)
      return client
    } catch (cause) {
      await client.end().catch(() => {})
      if (!login.tryNext(cause) || triesLeft <= 1) throw cause
    }
  }
}
