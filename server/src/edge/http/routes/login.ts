import { Type } from 'typebox'
import { signInWithPassword } from '../../../features/sign-in/sign-in-with-password.ts'
import { issueTokens } from '../../../features/tokens/issue-tokens.ts'
import type { App } from '../app.ts'
import { deviceOf } from '../device.ts'
import type { Pie } from '../pie.ts'
import { Email, Password, problems, TokenTransport } from '../shapes.ts'

export function loginRoute(app: App, pie: Pie): void {
  app.post(
    '/auth/login',
    {
      config: { access: 'open' },
      schema: {
        summary: 'Sign in with e-mail and password',
        tags: ['auth'],
        security: [],
        body: Type.Object(
          { email: Email, password: Password, transport: TokenTransport },
          { additionalProperties: false },
        ),
        response: { 200: Type.Ref('IssuedTokens'), ...problems(400, 401, 413, 415, 429, 503) },
      },
    },
    async (request, reply) => {
      const { email, password } = request.body
      const session = await signInWithPassword(pie, { email, password, device: deviceOf(request) })
      return reply.header('cache-control', 'no-store').send(issueTokens(pie, session))
    },
  )
}
