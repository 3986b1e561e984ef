import type { Keys } from '../../server/src/composition/read-keys.ts'
import { readPolicy } from '../../server/src/composition/read-policy.ts'
import { signRefreshToken } from '../../server/src/features/tokens/issue-tokens.ts'
import { days, systemClock } from '../../server/src/ground/clock.ts'
import type { Config } from '../../server/src/settings/read-config.ts'
import { runLoad } from '../load/run-load.ts'
import type { PieUnderTest } from '../servers/start-pie.ts'
import { refreshExchange, type TokenSession } from './pie-exchanges.ts'
import type { Account } from './seed.ts'

/**
 * Gets tokens for sessions that stand in the database already: their first refresh token is signed
 * here, as sign-in would have, and exchanged with Pie for a pair.
 */
export async function signIn(
  pie: PieUnderTest,
  config: Config,
  keys: Keys,
  accounts: readonly Account[],
): Promise<TokenSession[]> {
  const refreshedAt = systemClock.now()
  const expiresAt = new Date(refreshedAt.getTime() + days(7) * 1000)
  const needs = { clock: systemClock, policy: readPolicy(config), keys }
  const sessions = accounts.map((account) => {
    const user = { id: account.userId } as Parameters<typeof signRefreshToken>[1]['user']
    const session = { id: account.sessionId, user, generation: 0, refreshedAt, expiresAt }
    return { ...account, accessToken: '', refreshToken: signRefreshToken(needs, session) }
  })
  const waiting = sessions.values()
  await runLoad({
    address: pie.address,
    connections: 10,
    seconds: 120,
    next: () => {
      const { value } = waiting.next()
      return value === undefined ? null : refreshExchange(value)
    },
  })
  return sessions
}
