import type pg from 'pg'
import { AddressedClient } from './addressed-client.ts'
import type { Login } from './login.ts'

/**
 * A connection of its own, of the first host and with the first password that fit. To be ended.
 * @param settings after `withinMs` no other is tried
 * @param prepare is given each client before it connects
 * @throws what the last try failed with, which says of each of several hosts why not
 */
export async function connectClient(
  login: Login,
  { withinMs = Number.POSITIVE_INFINITY, ...settings }: pg.ClientConfig & { withinMs?: number },
  prepare: (client: pg.Client) => void = () => {},
): Promise<pg.Client> {
  /** What each host has failed with. */
  const failures = new Map<string, string>()
  const beganMs = performance.now()
  for (let triesLeft = login.tries; ; triesLeft -= 1) {
    const client = new AddressedClient({ application_name: 'pie', ...login.config(), ...settings })
    client.on('error', () => {})
    prepare(client)
    try {
      await client.connect()
      await login.check(client)
      return client
    } catch (cause) {
      await client.end().catch(() => {})
      if (cause instanceof Error) failures.set(`${client.host}:${client.port}`, cause.message)
      if (login.tryNext(cause) && triesLeft > 1 && performance.now() - beganMs < withinMs) continue
      if (cause instanceof Error && failures.size > 1) cause.message = inWords(failures)
      throw cause
    }
  }
}

const inWords = (failures: ReadonlyMap<string, string>): string =>
  [...failures].map(([host, why]) => (why.startsWith(host) ? why : `${host}: ${why}`)).join('; ')
