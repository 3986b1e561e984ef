import type { FastifyInstance } from 'fastify'
import { Refusal } from '../../ground/errors.ts'

/**
 * What still comes on connections that were kept while the server stops is another node's: Fastify, which closes them with
 * this answer, would say so in words of its own. To be called after the hooks that give every answer its headers.
 */
export function refuseWhileClosing(app: FastifyInstance): void {
  let isClosing = false
  app.addHook('preClose', async () => {
    isClosing = true
  })
  app.addHook('onRequest', (_request, _reply, done) => {
    done(isClosing ? new Refusal('stopping', { retryAfterSeconds: 1 }) : undefined)
  })
}
