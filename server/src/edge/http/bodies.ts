import type { FastifyRequest } from 'fastify'
import { Refusal } from '../../ground/errors.ts'
import type { App } from './app.ts'
import { refuseOtherTypes, takesForms } from './body-types.ts'
import { forgetEmptyBodies } from './empty-bodies.ts'

/**
 * Bodies are JSON; where a route says `form: true`, or has checked a CSRF token, a form's too. Anything
 * else is refused, `text/plain` above all: that a page of another site may send unasked.
 *
 * In UTF-8 and nothing else (RFC 8259 section 8.1). Fastify would read U+FFFD for every byte that is no
 * UTF-8, and then a password in Latin-1 would be as good with any other letter in place of each umlaut.
 */
export function takeBodies(app: App): void {
  app.removeAllContentTypeParsers()
  forgetEmptyBodies(app)
  refuseOtherTypes(app)
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    try {
      parse(request, utf8.decode(body as Buffer), done)
    } catch (cause) {
      done(new Refusal('malformed_json', { cause }))
    }
  })
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer' },
    (request, body, done) => {
      try {
        done(null, readForm(request, utf8.decode(body as Buffer)))
      } catch (error) {
        done(
          error instanceof Refusal
            ? error
            : new Refusal('invalid_request', { cause: error as Error }),
        )
      }
    },
  )
}

/** Unlike URLSearchParams, throws where percent-encoding is broken or hides what is no UTF-8. */
const readFormText = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '))

/** The fields of a form, each of which may be there once, without its CSRF token. */
function readForm(request: FastifyRequest, text: string): Record<string, string> {
  if (!takesForms(request)) throw new Refusal('unsupported_media_type')
  const fields = new Map<string, string>()
  for (const field of text.split('&').filter((part) => part !== '')) {
    const [name = '', ...rest] = field.split('=').map(readFormText)
    const value = rest.join('=')
    if (fields.has(name)) {
      const faults = [{ path: `/${name}`, message: 'must not be there twice' }]
      throw new Refusal('invalid_request', { faults })
    }
    fields.set(name, value)
  }
  request.formToken = fields.get('csrf_token') ?? null
  fields.delete('csrf_token')
  return Object.fromEntries(fields)
}
