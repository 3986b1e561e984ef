/** Where Pie is reached, by whom, and what it is called. */
import { asNumber, asOrigin, asOrigins, asProxies, asSocket, asText } from './forms.ts'
import { optional, withDefault } from './setting.ts'

export const httpSettings = {
  SOCKET: withDefault(
    'address:port',
    asSocket('127.0.0.1:3000'),
    '127.0.0.1:3000',
    'Where Pie listens.',
  ),
  SERVICE_DOMAIN: optional(
    'origin',
    asOrigin,
    'http://localhost and the port of SOCKET',
    'The public origin of the service, with its scheme: the issuer of its tokens; a port is in the name of its cookie. When it is https, Pie takes itself ' +
      'to be in production and refuses to start with a missing secret.',
  ),
  SERVICE_NAME: withDefault(
    'text',
    asText,
    'Pie',
    'What the service is called where people see it.',
  ),
  ALLOWED_ORIGINS: withDefault(
    'origins, comma-separated',
    asOrigins,
    '',
    'Other origins whose pages may use Pie. Exact, with their schemes. Browsers send its cookie along only from the ' +
      'same site, as from https://app.example.com to https://auth.example.com; other pages use tokens.',
  ),
  TRUSTED_PROXIES: withDefault(
    'networks, comma-separated, or a number',
    asProxies,
    '',
    'Proxies whose X-Forwarded-For is believed; from anybody else it is ignored. Or through how many proxies every ' +
      'request comes, where their addresses are not known: then nothing may reach Pie past them.',
  ),
  RATE_LIMIT_SCALE: withDefault(
    'number',
    asNumber(1, 1_000_000),
    '1',
    'What the limits of requests per network, and per session, are multiplied by: more than 1 where many people share an address. ' +
      'Attempts to sign in are counted apart, and always the same.',
  ),
}
