import { Type } from 'typebox'
import { register } from '../../../features/sign-in/register.ts'
import { issueTokens } from '../../../features/tokens/issue-tokens.ts'
import type { App } from '../app.ts'
import { deviceOf } from '../device.ts'
import type { Pie } from '../pie.ts'
import { Email, Name, Password, problems, TokenTransport } from '../shapes.ts'

export function registerRoute(app: App, pie: Pie): void {
  app.post(
    '/auth/register',
    {
      config: { access: 'open' },
      schema: {
        summary: 'Make an account and sign in',
        tags: ['auth'],
        security: [],
        body: Type.Object(
          {
            email: Email,
            password: Password,
            name: Type.Optional(Name),
            transport: TokenTransport,
          },
          { additionalProperties: false },
        ),
        response: { 201: Type.Ref('IssuedTokens'), ...problems(400, 403, 409, 413, 415, 429, 503) },
      },
    },
    async (request, reply) => {
      const { email, password, name = null } = request.body
      const session = await register(pie, { email, password, name, device: deviceOf(request) })
      return reply.code(201).header('cache-control', 'no-store').send(issueTokens(pie, session))
    },
  )
}
