/** How long somebody stays signed in, and how their requests are told from forged ones. */
import { asChoice, asDuration } from './forms.ts'
import { withDefault } from './setting.ts'

export const sessionsSettings = {
  SESSION_TTL: withDefault(
    'duration',
    asDuration,
    '1d',
    "How long a browser's session lives without being used.",
  ),
  SESSION_RENEW_WINDOW: withDefault(
    'duration',
    asDuration,
    '7d',
    "For how long after that its next request renews a browser's session.",
  ),
  SESSION_ABSOLUTE_TTL: withDefault(
    'duration',
    asDuration,
    '90d',
    'How long any session lives at most.',
  ),
  CSRF_MODE: withDefault(
    'session or request',
    asChoice('session', 'request'),
    'session',
    'Whether a CSRF token is good as long as its session, or for one request.',
  ),
}
