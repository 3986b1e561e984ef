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
  description: 'What the user wants to be called: one line, 1 to 200 characters. Null for none.',
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

/** How the session is handed over. Cookies come beside it. */
export const TokenTransport = Type.Optional(
  Type.Literal('token', {
    description: 'How the session is handed over: as tokens in the answer.',
  }),
)
