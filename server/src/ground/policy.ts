/** What the operator has decided, by subject: a verb names the subjects it goes by. Durations are in seconds. */
export interface Policy {
  service: ServicePolicy
  accounts: AccountPolicy
  passwords: PasswordPolicy
  sessions: SessionPolicy
  tokens: TokenPolicy
}

/** The part of the policy that something needs: `Pick<Ground, 'auth'> & PolicyOf<'sessions'>`. */
export interface PolicyOf<Subject extends keyof Policy> {
  policy: Pick<Policy, Subject>
}

export interface ServicePolicy {
  /** The public origin, and so the issuer of every token (RFC 8414 section 2). */
  origin: string
  /** Where it listens, as an origin, once it does: `http://127.0.0.1:3000`. None where that is no port. */
  address?: string
  /** What the service is called where people see it. */
  name: string
  /** Other origins whose pages may use Pie with its cookies. */
  allowedOrigins: readonly string[]
}

export interface AccountPolicy {
  isRegistrationOpen: boolean
  /** What becomes of a sign-up when the application's hook fails. */
  hookFailures: 'log' | 'refuse'
}

export interface PasswordPolicy {
  minLength: number
}

export interface SessionPolicy {
  /** How long a browser's session lives unused, and for how long after that it may be renewed. */
  seconds: number
  renewSeconds: number
  /** How long any session lives, however much it is used. */
  absoluteSeconds: number
  /** Whether a CSRF token is good for its session, or for one request. */
  csrfMode: 'session' | 'request'
}

export interface TokenPolicy {
  accessTokenSeconds: number
  refreshTokenSeconds: number
}
