import type { Policy } from '../ground/policy.ts'
import type { Config } from '../settings/read-config.ts'

/** The policy, as the settings say it. */
export function readPolicy(config: Config): Policy {
  return {
    service: {
      origin: config.SERVICE_DOMAIN ?? originOnPort(config.SOCKET.port),
      name: config.SERVICE_NAME,
      allowedOrigins: config.ALLOWED_ORIGINS,
    },
    accounts: {
      isRegistrationOpen: config.REGISTRATION === 'open',
      hookFailures: config.HOOK_FAILURES,
    },
    passwords: { minLength: config.PASSWORD_MIN_LENGTH },
    sessions: {
      seconds: config.SESSION_TTL,
      renewSeconds: config.SESSION_RENEW_WINDOW,
      absoluteSeconds: config.SESSION_ABSOLUTE_TTL,
      csrfMode: config.CSRF_MODE,
    },
    tokens: {
      accessTokenSeconds: config.ACCESS_TOKEN_TTL,
      refreshTokenSeconds: config.REFRESH_TOKEN_TTL,
    },
  }
}

/** Pie's origin where SERVICE_DOMAIN names none: on a laptop. */
export const originOnPort = (port: number): string => new URL(`http://localhost:${port}`).origin
