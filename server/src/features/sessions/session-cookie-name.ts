/**
 * What the session's cookie is called. Browsers keep one jar for all ports of a host: with the port in its name, signing in
 * to one service there does not sign anybody out of the next. The port that the scheme implies is none.
 *
 * Over https with the prefix that lets no sibling domain and no plain connection plant it (RFC 6265bis section 4.1.3.2).
 * @param origin SERVICE_DOMAIN: `https://auth.example.com`
 */
export function sessionCookieName(origin: string): string {
  const name = origin.startsWith('https:') ? '__Host-pie_session' : 'pie_session'
  const [, port] = /:(\d+)$/.exec(origin) ?? []
  return port === undefined ? name : `${name}_${port}`
}
