/** What operators watch. */
import { days } from '../ground/clock.ts'
import { asChoice, asDurationOf, asMetricsToken, asSocket, asSwitch } from './forms.ts'
import { optional, withDefault } from './setting.ts'

export const operationsSettings = {
  LOG_LEVEL: withDefault(
    'level',
    asChoice('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    'info',
    'The least serious lines that are logged.',
  ),
  LOG_REQUESTS: optional(
    'on or off',
    asSwitch,
    "on; off inside an application's server, which logs its own",
    'Whether there is a line for every request, at info: method, route, status, milliseconds, the request’s id and the ' +
      'beginning of the session’s. Never a query, a token or an address. Probes and scrapes that are answered 200 have none.',
  ),
  AUDIT_RETENTION: optional(
    'duration',
    asDurationOf(days(30), '30d'),
    'for ever',
    'How long a line of the audit log is kept at least, 30d or more: a month is dropped, whole, when its last line is older. ' +
      'On all nodes the same.',
  ),
  METRICS_TOKEN: optional(
    'token',
    asMetricsToken,
    'none: without METRICS_SOCKET there are no metrics',
    'Who shows this as Authorization: Bearer may read the metrics, at /metrics: 32 random characters or more. Needs the ' +
      'package prom-client.',
  ),
  METRICS_SOCKET: optional(
    'address:port',
    asSocket('127.0.0.1:9464'),
    'none',
    'Where a server of its own answers /metrics and /health/ and nothing else, such as 127.0.0.1:9464: an address that ' +
      'only those reach who may read them. With METRICS_TOKEN set, they need that too, and SOCKET answers /metrics as ' +
      'well. Needs the package prom-client.',
  ),
}
