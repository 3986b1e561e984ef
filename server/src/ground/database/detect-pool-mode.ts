import pg from 'pg'
import type { Secret } from '../crypto/secret.ts'
import { OperatorError } from '../errors.ts'
import { adviseOnTls } from './advise-on-tls.ts'
import type { PoolMode } from './connection-state.ts'
import { createLogin } from './login.ts'
import { readPoolMode } from './pool-mode.ts'

/**
 * Whether a login role reaches Postgres itself, or a pooler in transaction mode.
 *
 * @param setting what the operator would set, for the error
 * @throws OperatorError when the role cannot connect
 */
export async function detectPoolMode(
  urls: readonly Secret[],
  setting: 'AUTH_DATABASE_URL' | 'REQUEST_DATABASE_URL',
): Promise<PoolMode> {
  const login = createLogin(urls)
  for (let passwordsLeft = login.passwords; ; passwordsLeft -= 1) {
    try {
      // Twice: the number that a pooler makes up may by chance be the server's.
      const modes = await Promise.all([ask(login.url()), ask(login.url())])
      return modes.includes('transaction') ? 'transaction' : 'session'
    } catch (cause) {
      if (login.tryNext(cause) && passwordsLeft > 1) continue
      const { username, host } = new URL(login.url())
      throw new OperatorError(
        `Could not connect to Postgres at ${host} as ${decodeURIComponent(username)}: ${(cause as Error).message || cause}. ` +
          `${adviseOnTls(cause) ?? `If a pooler is there, it has to know this role: see docs/guides/poolers.md. Otherwise check ${setting}.`}`,
        { cause },
      )
    }
  }
}

async function ask(connectionString: string): Promise<PoolMode> {
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: 10_000,
    query_timeout: 10_000,
    application_name: 'pie',
  })
  client.on('error', () => {})
  try {
    await client.connect()
    return await readPoolMode(client)
  } finally {
    await client.end().catch(() => {})
  }
}
