/** The shapes that several endpoints share: they check, document and serialise. */
import { Type } from 'typebox'

export const Email = Type.String({
  minLength: 3,
  maxLength: 320,
  description: 'An e-mail address.',
  examples: ['ada@example.com'],
})

/** Longer than the limit after normalisation, which may shorten a text. */
export const Password = Type.String({
  minLength: 1,
  maxLength: 8192,
  description: 'A password: 10 to 1024 characters.',
  examples: ['correct horse battery staple'],
})

export const Name = Type.Union([Type.String({ minLength: 1, maxLength: 400 }), Type.Null()], {
  description:
    'What the user wants to be called: one line, 1 to 200 characters. Null for none. It is their profile’s name too, which an application may show to others.',
  examples: ['Ada Lovelace'],
})

export const Token = Type.String({ minLength: 1, maxLength: 4096 })

const Nullable = <T extends ReturnType<typeof Type.String> | ReturnType<typeof Type.Boolean>>(
  type: T,
) => Type.Union([type, Type.Null()])

export const User = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    email: Nullable(Type.String()),
    email_verified: Nullable(Type.Boolean()),
    name: Nullable(Type.String()),
    roles: Type.Array(Type.String()),
    permissions: Type.Array(Type.String()),
    created_at: Type.String({ format: 'date-time' }),
    updated_at: Type.String({ format: 'date-time' }),
  },
  { $id: 'User', title: 'User' },
)

export const IssuedTokens = Type.Object(
  {
    access_token: Type.String({ description: 'A JWT (RFC 9068), sent as Authorization: Bearer.' }),
    token_type: Type.Literal('Bearer'),
    expires_in: Type.Integer({ description: 'Seconds until the access token expires.' }),
    refresh_token: Type.String({ description: 'For POST /auth/refresh only. Used once.' }),
    user: Type.Ref('User'),
  },
  { $id: 'IssuedTokens', title: 'IssuedTokens' },
)

export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({
      description: 'Stable: what a program should look at. See docs/errors.md.',
    }),
    detail: Type.Optional(Type.String()),
    errors: Type.Optional(Type.Array(Type.Object({ path: Type.String(), message: Type.String() }))),
    csrf_token_url: Type.Optional(
      Type.String({
        description: 'With csrf_token_missing and csrf_token_invalid: where to get one.',
      }),
    ),
    sqlstate: Type.Optional(Type.String()),
    explanation: Type.Optional(Type.String()),
    hint: Type.Optional(Type.String()),
  },
  { $id: 'Problem', title: 'Problem', description: 'A problem answer (RFC 9457).' },
)

/** The problem answers of an endpoint, for its documentation: `...problems(400, 401)`. */
export function problems<Status extends number>(...statuses: Status[]) {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      { content: { 'application/problem+json': { schema: Type.Ref('Problem') } } },
    ]),
  ) as Record<
    Status,
    { content: { 'application/problem+json': { schema: ReturnType<typeof Type.Ref> } } }
  >
}

/** How the session is handed over. */
export const Transport = Type.Optional(
  Type.Union([Type.Literal('token'), Type.Literal('cookie')], {
    description:
      'How the session is handed over: as tokens in the answer (the default), or as a cookie of the browser.',
  }),
)

const DateTime = Type.String({ format: 'date-time' })

export const CookieSession = Type.Object(
  {
    user: Type.Ref('User'),
    session: Type.Object({ id: Type.String({ format: 'uuid' }), expires_at: DateTime }),
    csrf_token: Type.String({ description: 'Sent as X-CSRF-Token with what changes something.' }),
  },
  {
    $id: 'CookieSession',
    title: 'CookieSession',
    description: 'With "transport": "cookie". The session is in Set-Cookie.',
  },
)

/** What hands a session over, either way. */
export const SessionAnswer = Type.Union([Type.Ref('IssuedTokens'), Type.Ref('CookieSession')])

export const Session = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    kind: Type.String({ description: 'browser, token, oauth or api_key' }),
    created_at: DateTime,
    last_seen_at: DateTime,
    expires_at: DateTime,
    assurance_level: Type.Integer(),
    methods: Type.Array(Type.String(), { description: 'How the person signed in (RFC 8176).' }),
  },
  { $id: 'Session', title: 'Session' },
)

export const Device = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    kind: Type.String({ description: 'browser, token, oauth or api_key' }),
    device: Type.Object({
      description: Type.String({ examples: ['Firefox on Windows'] }),
      browser: Nullable(Type.String()),
      os: Nullable(Type.String()),
      type: Nullable(Type.String({ description: 'desktop, mobile, tablet, tv or bot' })),
    }),
    address: Nullable(Type.String({ description: 'The network address it signed in from.' })),
    created_at: DateTime,
    last_seen_at: DateTime,
    expires_at: DateTime,
    assurance_level: Type.Integer(),
    methods: Type.Array(Type.String()),
    is_current: Type.Boolean({ description: 'Whether this is the session that asks.' }),
  },
  { $id: 'Device', title: 'Device' },
)
