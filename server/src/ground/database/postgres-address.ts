/**
 * The one reader of Postgres addresses, in all the forms that libpq takes (PostgreSQL, "Connection Strings"): a URI with one
 * host or several, a socket's directory in the host or in the query, `host=… user=…`.
 */
import { Secret } from '../crypto/secret.ts'
import { findNearName } from '../find-near-name.ts'

export interface PostgresAddress {
  /** In the order in which they are tried; none where the address names none. */
  hosts: readonly PostgresHost[]
  user: string | null
  password: Secret | null
  database: string | null
  /** What else it says: `sslmode`, `options`, `application_name` and others. */
  parameters: Readonly<Record<string, string>>
}

export interface PostgresHost {
  /** A name or a number; the directory of a socket when it begins with a slash. */
  host: string
  port: number | null
}

/** What is wrong with an address: completes the sentence "DATABASE_URL …". Shows nothing of it. */
export class AddressMistake extends Error {}

const form = 'is an address such as postgres://user:password@host:5432/database'
const percents = 'write / : ? # @ and % in a password as %2F %3A %3F %23 %40 and %25'

/** @throws AddressMistake */
export function readAddress(text: string): PostgresAddress {
  const said = /^postgres(ql)?:\/\//.test(text) ? readUri(text) : readKeywords(text)
  const { host, port, user, password, dbname, ...parameters } = said
  checkParameters(parameters)
  return {
    hosts: pairHosts(host ?? '', port ?? ''),
    user: user || null,
    password: password ? Secret.fromText(password) : null,
    database: dbname || null,
    parameters,
  }
}

type Said = Record<string, string> &
  Partial<Record<'host' | 'port' | 'user' | 'password' | 'dbname', string>>

function readUri(text: string): Said {
  const [, authority = '', path = '', query = ''] =
    /^postgres(?:ql)?:\/\/([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(text) ?? []
  const at = authority.lastIndexOf('@')
  const [user = '', ...password] = authority.slice(0, Math.max(at, 0)).split(':')
  const { host, port } = splitHosts(authority.slice(at + 1))
  const said: Said = {
    host,
    port,
    user: decode(user),
    password: decode(password.join(':')),
    dbname: decode(path),
  }
  for (const pair of query.split('&').filter((part) => part !== '')) {
    const [name = '', ...value] = pair.split('=')
    if (value.length !== 1)
      throw new AddressMistake(`${form}; what follows its ? is name=value, with & between`)
    const given = decode(value.join('='))
    if (given !== '') said[decode(name)] = given
  }
  return said
}

/** `h1:1,h2` → `h1,h2` and `1,`. */
function splitHosts(text: string): { host: string; port: string } {
  const parts = text.split(',').map((part) => {
    const [, v6, name = '', port = ''] =
      /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([^:]*))?$/.exec(part) ?? []
    if (v6 === undefined && name === '' && part !== '' && !part.startsWith(':'))
      throw new AddressMistake(`has a host that cannot be read: ${percents}`)
    return { host: decode(v6 ?? name), port }
  })
  return {
    host: parts.map(({ host }) => host).join(','),
    port: parts.every(({ port }) => port === '') ? '' : parts.map(({ port }) => port).join(','),
  }
}

function decode(text: string): string {
  let decoded: string
  try {
    decoded = decodeURIComponent(text)
  } catch {
    throw new AddressMistake(`has a % that stands for nothing: ${percents}`)
  }
  if (decoded.includes('\0')) throw new AddressMistake('has a %00, which no name may have')
  return decoded
}

/** `host=localhost dbname=app password='it''s'`: values in quotes where they have spaces, with \ before ' and \. */
function readKeywords(text: string): Said {
  const said: Said = {}
  const pair = /\s*([A-Za-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)/sy
  while (pair.lastIndex < text.trimEnd().length) {
    const [, name, quoted, plain] = pair.exec(text) ?? []
    if (name === undefined) throw new AddressMistake(form)
    said[name] = (quoted ?? plain ?? '').replace(/\\(.)/gs, '$1')
  }
  if (Object.keys(said).length === 0) throw new AddressMistake(form)
  return said
}

function pairHosts(host: string, port: string): PostgresHost[] {
  const hosts = host.split(',')
  const ports = port.split(',').map(readPort)
  if (ports.length !== 1 && ports.length !== hosts.length)
    throw new AddressMistake(`names ${hosts.length} hosts and ${ports.length} ports`)
  if (hosts.length === 1 && hosts[0] === '' && ports[0] === null) return []
  return hosts.map((each, at) => ({
    host: each === '' ? 'localhost' : each,
    port: (ports.length === 1 ? ports[0] : ports[at]) ?? null,
  }))
}

function readPort(text: string): number | null {
  if (text === '') return null
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65_535)
    throw new AddressMistake(`has a port that is no number from 1 to 65535; ${percents}`)
  return port
}

/** What `pg` makes of an address, with the values of those that have a few. */
const ofTheDriver: Record<string, readonly string[] | null> = {
  sslmode: ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'],
  sslrootcert: null,
  sslcert: null,
  sslkey: null,
  sslnegotiation: ['postgres', 'direct'],
  uselibpqcompat: ['true', 'false'],
  ssl: ['true', '1', '0'],
  application_name: null,
  options: null,
}

/** Honoured by Pie itself, or asking for nothing that is not so anyway; providers write them into addresses. */
const ofPie: Record<string, readonly string[] | null> = {
  target_session_attrs: ['any', 'read-write', 'primary'],
  channel_binding: ['disable', 'prefer', 'require'],
  client_encoding: ['UTF8', 'utf8', 'UTF-8', 'utf-8', 'auto'],
  gssencmode: ['disable', 'prefer'],
  load_balance_hosts: ['disable'],
  sslcompression: ['0'],
  sslsni: ['1'],
  fallback_application_name: null,
  // How long is waited, and how a dead connection is found out: Pie has times of its own.
  connect_timeout: null,
  keepalives: null,
  keepalives_idle: null,
  keepalives_interval: null,
  keepalives_count: null,
  tcp_user_timeout: null,
  // Prisma's.
  pgbouncer: null,
}

const known = { ...ofTheDriver, ...ofPie }

/** Which go on to `pg`: any other name of its configuration would change how it works. */
export const passedOn: ReadonlySet<string> = new Set(Object.keys(ofTheDriver))

/** Settings of the server that `pg` takes by their names, and sends in a way of its own. */
const ofTheServer = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']

const names = ['host', 'port', 'user', 'password', 'dbname', ...Object.keys(known)]

function checkParameters(parameters: Readonly<Record<string, string>>): void {
  // Half of a password stands where names do, when its ? is not written %3F.
  const isPassword = Object.values(parameters).some((value) => value.includes('@'))
  for (const [name, value] of Object.entries(parameters)) {
    if (name === 'service' || name === 'hostaddr' || name === 'database')
      throw new AddressMistake(
        `has ${name}=…, which Pie does not read: give host=… and dbname=… instead`,
      )
    if (ofTheServer.includes(name))
      throw new AddressMistake(`has ${name}=…, which is written options=-c%20${name}%3D…`)
    const choices = Object.hasOwn(known, name) ? known[name as keyof typeof known] : undefined
    if (choices !== undefined && choices !== null && !choices.includes(value))
      throw new AddressMistake(`has a ${name} that is none of ${choices.join(', ')}`)
    if (choices !== undefined) continue
    const meant = findNearName(name, names)
    if (meant !== null) throw new AddressMistake(`has ${name}=…: is that ${meant}?`)
    if (isPassword)
      throw new AddressMistake(`has a name after its ? that says nothing: ${percents}`)
    throw new AddressMistake(
      `has ${name}=…, which Pie cannot honour: leave it out. It reads ${names.join(', ')}`,
    )
  }
}

/** The same as a URI: what `readAddress` reads again. */
export function writeAddress({
  hosts,
  user,
  password,
  database,
  parameters,
}: PostgresAddress): string {
  const login =
    user === null && password === null
      ? ''
      : `${encode(user ?? '')}${password === null ? '' : `:${encode(password.revealText())}`}@`
  const list = hosts
    .map(({ host, port }) => `${writeHost(host)}${port === null ? '' : `:${port}`}`)
    .join(',')
  const query = Object.entries(parameters).map(
    ([name, value]) => `${encode(name)}=${encode(value)}`,
  )
  return `postgres://${login}${list}/${encode(database ?? '')}${query.length === 0 ? '' : `?${query.join('&')}`}`
}

const encode = encodeURIComponent
const writeHost = (host: string): string =>
  host.includes(':') && !host.startsWith('/') ? `[${host}]` : encode(host)

/** Where it is, in words for the operator: `db.example.com:5432`. Never with a password. */
export function hostsInWords({ hosts }: PostgresAddress): string {
  if (hosts.length === 0) return 'localhost'
  return hosts
    .map(
      ({ host, port }) =>
        `${host.includes(':') ? `[${host}]` : host}${port === null ? '' : `:${port}`}`,
    )
    .join(', ')
}

/** The same address with only the first of its hosts, the second, and so on. */
export function eachHost(address: PostgresAddress): PostgresAddress[] {
  return address.hosts.length < 2
    ? [address]
    : address.hosts.map((host) => ({ ...address, hosts: [host] }))
}
