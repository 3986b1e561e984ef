/** How long tokens are good for. */
import { asDuration } from './forms.ts'
import { withDefault } from './setting.ts'

export const tokensSettings = {
  ACCESS_TOKEN_TTL: withDefault(
    'duration',
    asDuration,
    '30m',
    'How long an access token is good for.',
  ),
  REFRESH_TOKEN_TTL: withDefault(
    'duration',
    asDuration,
    '7d',
    'How long a session of tokens lives without being refreshed.',
  ),
}
