import type { Secret } from '../crypto/secret.ts'
import { OperatorError } from '../errors.ts'
import { adviseOnTls } from './advise-on-tls.ts'
import { NotPrimary } from './check-primary.ts'
import { connectClient } from './connect-client.ts'
import type { PoolMode } from './connection-state.ts'
import { createLogin, isPasswordRefused, type Login } from './login.ts'
import { readPoolMode } from './pool-mode.ts'
import { hostsInWords } from './postgres-address.ts'

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
  const login = createLogin(urls, { mustWrite: true })
  try {
    // Twice: the number that a pooler makes up may by chance be the server's.
    const first = await ask(login)
    return first === 'transaction' ? first : await ask(login)
  } catch (cause) {
    const { user } = login.address()
    throw new OperatorError(
      `Could not connect to Postgres at ${hostsInWords(login.address())} as ${user ?? 'nobody in particular'}: ${(cause as Error).message || cause}. ` +
        `${adviseOnTls(cause) ?? adviseOnPassword(cause) ?? adviseOnPrimary(cause) ?? `If a pooler is there, it has to know this role: see docs/guides/poolers.md. Otherwise check ${setting}.`}`,
      { cause },
    )
  }
}

async function ask(login: Login): Promise<PoolMode> {
  const client = await connectClient(login, {
    connectionTimeoutMillis: 10_000,
    query_timeout: 10_000,
  })
  try {
    return await readPoolMode(client)
  } finally {
    await client.end().catch(() => {})
  }
}

const adviseOnPrimary = (error: unknown): string | null =>
  error instanceof NotPrimary
    ? 'Start when it is, or name the primary: with several hosts in the address, the first that is one is taken.'
    : null

/** Nobody but a start with the owner's address sets it, or whoever says so. */
const adviseOnPassword = (error: unknown): string | null =>
  isPasswordRefused(error)
    ? 'Where SECRET_KEY makes its password, it is set by the first start that has the owner’s address (DATABASE_URL), or by ' +
      'pie secret rotate --set-passwords. Where you have set it, or a pooler keeps it, check that.'
    : null
