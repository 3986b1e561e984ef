import { openHttpConnection } from './http-connection.ts'
import { formatRequest, type RequestToSend } from './http-request.ts'

/** The body of a good answer to one request, on a connection of its own. */
export async function askOnce(address: string, request: RequestToSend): Promise<string> {
  const connection = await openHttpConnection(address)
  try {
    const { status, body } = await connection.exchange(formatRequest(request))
    if (status !== 200)
      throw new Error(`${request.method} ${address}${request.path} answered ${status}: ${body}`)
    return body
  } finally {
    connection.close()
  }
}
