export interface RequestToSend {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  token?: string
  /** `name=value` */
  cookie?: string
  /** Sent as JSON. */
  body?: unknown
}

/** A request as it goes over the wire (RFC 9112). */
export function formatRequest({ method, path, token, cookie, body }: RequestToSend): string {
  const head =
    `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nUser-Agent: bench\r\n` +
    (token === undefined ? '' : `Authorization: Bearer ${token}\r\n`) +
    (cookie === undefined ? '' : `Cookie: ${cookie}\r\n`)
  if (body === undefined) return `${head}\r\n`
  const text = JSON.stringify(body)
  return (
    `${head}Content-Type: application/json\r\n` +
    `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
  )
}
