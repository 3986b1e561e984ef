import type { FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../../ground/errors.ts'

/**
 * A request says once for which host it is (RFC 9112 section 3.2): of two, a proxy before Pie may have gone by the other. One of
 * HTTP/1.0 need not.
 * @throws Refusal `malformed_http`
 */
export function checkHost({ raw }: FastifyRequest, reply: FastifyReply): void {
  const { httpVersion, rawHeaders } = raw
  let hosts = 0
  for (let place = 0; place < rawHeaders.length; place += 2)
    if (rawHeaders[place]?.length === 4 && /^host$/i.test(rawHeaders[place] ?? '')) hosts += 1
  if (hosts === 1 || (hosts === 0 && httpVersion !== '1.1')) return
  void reply.header('connection', 'close')
  const detail = hosts === 0 ? 'It has no Host header.' : 'It has more than one Host header.'
  throw new Refusal('malformed_http', { detail })
}
