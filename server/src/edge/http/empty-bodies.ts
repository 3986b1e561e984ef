import type { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { Refusal } from '../../ground/errors.ts'
import type { App } from './app.ts'

/**
 * An empty body is no body, whatever type it is said to be of: many clients name one with everything they send. What
 * comes in chunks has to be waited for to know.
 */
export function forgetEmptyBodies(app: App): void {
  app.addHook('preParsing', (request, _reply, payload, done) => {
    const { 'content-length': length = '0', 'transfer-encoding': coding } = request.headers
    if (coding !== undefined) {
      forgetIfNothingComes(request, payload as Readable).then(
        () => done(),
        (cause) => done(new Refusal('invalid_request', { cause })),
      )
      return
    }
    if (Number(length) === 0 && request.headers['content-type'] !== undefined) forgetBody(request)
    done()
  })
}

async function forgetIfNothingComes(request: FastifyRequest, payload: Readable): Promise<void> {
  if (payload.readableLength === 0 && !payload.readableEnded) await somethingOrTheEnd(payload)
  const first: Buffer | null = payload.read()
  if (first === null) forgetBody(request)
  else payload.unshift(first)
}

/** What ends before anybody reads of it never becomes readable. */
const somethingOrTheEnd = (payload: Readable): Promise<void> =>
  new Promise((resolve, reject) => {
    payload.once('readable', resolve).once('end', resolve).once('error', reject)
  })

/** For Fastify, which goes by the headers. They stay as they came in `request.raw`. */
function forgetBody(request: FastifyRequest): void {
  const none = { 'content-type': undefined, 'transfer-encoding': undefined }
  request.headers = { ...request.headers, ...none, 'content-length': undefined }
}
