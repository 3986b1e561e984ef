import type { FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../../ground/errors.ts'
import type { App } from './app.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Whether it takes forms. By default where a session is needed: an open route that does sees to their CSRF tokens
     * itself.
     */
    form?: boolean
  }
}

const JSON_TYPE = 'application/json'
export const FORM_TYPE = 'application/x-www-form-urlencoded'

/** Whether a Content-Type names this type, with whatever parameters. */
export const isOfType = (header: string | undefined, type: string): boolean =>
  header?.split(';', 1)[0]?.trim().toLowerCase() === type

export function takesForms({ routeOptions: { config } }: FastifyRequest): boolean {
  return config.form ?? config.access !== 'open'
}

/**
 * Refuses a body of a type that nothing here reads, and says what does: in words, and in the header of the method
 * (RFC 9110 section 12.5.1, RFC 5789 section 3.1, W3C LDP section 7.1).
 */
export function refuseOtherTypes(app: App): void {
  app.addHook('preParsing', (request, reply, _payload, done) => {
    const { headers, is404 } = request
    const hasBody =
      headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
    done(hasBody && !is404 && !/^(GET|HEAD)$/.test(request.method) ? fault(request, reply) : null)
  })
}

function fault(request: FastifyRequest, reply: FastifyReply): Refusal | null {
  const { 'content-type': type, 'content-encoding': coding = 'identity' } = request.headers
  const types = takesForms(request) ? [JSON_TYPE, FORM_TYPE] : [JSON_TYPE]
  if (!types.some((taken) => isOfType(type, taken))) {
    void reply.header('accept', types.join(', '))
    if (request.method === 'POST') void reply.header('accept-post', types.join(', '))
    if (request.method === 'PATCH') void reply.header('accept-patch', types.join(', '))
    const detail = `The body has to be ${types.join(' or ')}, and its Content-Type to say so.`
    return new Refusal('unsupported_media_type', { detail })
  }
  if (/^identity$/i.test(coding.trim())) return null
  void reply.header('accept-encoding', 'identity')
  const detail = 'The body must not be compressed: Content-Encoding has to be left out.'
  return new Refusal('unsupported_media_type', { detail })
}
