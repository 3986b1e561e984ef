/** The forms that settings come in: each reads a text, or throws the Mistake that is in it. */
import { isIP } from 'node:net'
import { isRandom } from '../ground/crypto/is-random.ts'
import { Secret } from '../ground/crypto/secret.ts'
import { AddressMistake, readAddress, writeAddress } from '../ground/database/postgres-address.ts'

/** What is wrong with a setting's text: completes the sentence "NAME …". */
export class Mistake extends Error {}

export const asText = (text: string): string => text

export function asChoice<T extends string>(...choices: T[]): (text: string) => T {
  return (text) => {
    const choice = choices.find((known) => known === text.toLowerCase())
    if (choice === undefined)
      throw new Mistake(`is one of ${choices.join(', ')}; it was: ${text.slice(0, 20)}`)
    return choice
  }
}

/** What other programs write for the same is taken too. */
export function asSwitch(text: string): boolean {
  const word = text.toLowerCase()
  if (['on', 'true'].includes(word)) return true
  if (['off', 'false'].includes(word)) return false
  throw new Mistake(`is on or off; it was: ${text.slice(0, 20)}`)
}

/** `127.0.0.1:3000` or `[::1]:3000`. Port 0 takes any free one. */
export function asSocket(example: string): (text: string) => { host: string; port: number } {
  return (text) => {
    const [, v6, host, port] = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text) ?? []
    if (port === undefined || Number(port) > 65_535)
      throw new Mistake(`is an address and a port, such as ${example}`)
    return { host: v6 ?? host ?? '', port: Number(port) }
  }
}

/** Scheme and host without a path: what tokens name as their issuer, letter by letter. */
export function asOrigin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  const isOrigin =
    url !== null &&
    ['http:', 'https:'].includes(url.protocol) &&
    `${url.pathname}${url.search}${url.hash}${url.username}${url.password}` === '/' &&
    url.hostname !== '' &&
    !url.hostname.includes('*')
  if (!isOrigin)
    throw new Mistake('is a scheme and a host without a path, such as https://auth.example.com')
  if (url.origin !== text.replace(/\/$/, '')) throw new Mistake(`is written ${url.origin}`)
  return url.origin
}

/** Names of things in Postgres, as they are there: a capital is one, and a blank is. What has a comma in it stands in quotes. */
export function asNames(text: string): string[] {
  const names = splitNames(text)
  const long = names.find((name) => Buffer.byteLength(name) > 63)
  if (long !== undefined) throw new Mistake(`has ${long}, which is longer than a name can be`)
  const foreign = names.find((name) => /^(pg_|pie_|information_schema$)/.test(name))
  if (foreign !== undefined) throw new Mistake(`has ${foreign}, which is not one of yours`)
  return [...new Set(names)]
}

function splitNames(text: string): string[] {
  const names: string[] = []
  let rest = text.trim()
  while (rest !== '') {
    const [all, quoted, plain] = /^(?:"((?:[^"]|"")+)"|([^",]*))\s*(?:,\s*|$)/.exec(rest) ?? []
    if (all === undefined)
      throw new Mistake(`has ${rest.slice(0, 40)}, which is no name such as notes, MyApp or "a, b"`)
    const name = plain?.trim() ?? quoted?.replaceAll('""', '"') ?? ''
    if (name !== '') names.push(name)
    rest = rest.slice(all.length)
  }
  return names
}

/** Exact origins, comma-separated. */
export function asOrigins(text: string): string[] {
  return splitList(text).map(asOrigin)
}

/** valkey://[user:password@]host[:port][/number], and what redis:// says alike. */
export function asCacheUrl(text: string): Secret {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^(valkey|redis)s?:$/.test(url.protocol) || url.hostname === '')
    throw new Mistake('is an address such as valkey://user:password@host:6379/0')
  if (!/^\/?\d{0,9}$/.test(url.pathname))
    throw new Mistake('has a database that is no number: valkey://host:6379/0')
  if (![url.username, url.password].every(isDecodable))
    throw new Mistake('has a % that stands for nothing: a % in a password is written %25')
  if (url.search !== '' || url.hash !== '')
    throw new Mistake('has a ? or a # in it: in a password they are written %3F and %23')
  return Secret.fromText(text)
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** The address as one URI, whichever of libpq's forms it came in. */
export function asPostgresUrl(text: string): Secret {
  try {
    return Secret.fromText(writeAddress(readAddress(text)))
  } catch (error) {
    throw error instanceof AddressMistake ? new Mistake(error.message) : error
  }
}

const unitSeconds: Record<string, number> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 }

/** Seconds, or a number with s, m, h or d. */
export function asDuration(text: string): number {
  const seconds = readDuration(text)
  if (!(seconds > 0)) throw new Mistake('is a duration in seconds, or such as 30m, 12h or 7d')
  return seconds
}

/** NaN where it is none. */
function readDuration(text: string): number {
  const [, count, unit = ''] = /^(\d{1,9})([smhd]?)$/.exec(text) ?? []
  return Number(count) * (unitSeconds[unit] ?? Number.NaN)
}

/** One that is not shorter than another. */
export function asDurationOf(leastSeconds: number, least: string): (text: string) => number {
  return (text) => {
    const seconds = readDuration(text)
    // Not the examples of any duration: this one might refuse them.
    if (!(seconds >= leastSeconds))
      throw new Mistake(`is a duration of ${least} or more; it was: ${text.slice(0, 20)}`)
    return seconds
  }
}

export function asNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (!(number >= least && number <= most))
      throw new Mistake(`is a whole number from ${least} to ${most}`)
    return number
  }
}

const LEAST_SECRET_CHARACTERS = 32

/** One or several keys, comma-separated: the first signs, all verify. */
export function asSecretKeys(text: string): [Secret, ...Secret[]] {
  const keys = text.split(',').map((key) => key.trim())
  if (!keys.every(isRandom))
    throw new Mistake(
      `is ${LEAST_SECRET_CHARACTERS} random characters or more, or several such keys with commas between them; ` +
        'this is shorter, or repeats itself, or is typed. Make one: openssl rand -base64 33',
    )
  return keys.map((key) => Secret.fromText(key)) as [Secret, ...Secret[]]
}

/** As it comes in a header (RFC 6750 section 2.1), and as hard to guess as a key. */
export function asMetricsToken(text: string): Secret {
  if (!isRandom(text))
    throw new Mistake(
      `is ${LEAST_SECRET_CHARACTERS} random characters or more; this is shorter, or repeats itself, or is typed. Make ` +
        'one: openssl rand -hex 32',
    )
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(text))
    throw new Mistake('has characters that no token has. Make one: openssl rand -hex 32')
  return Secret.fromText(text)
}

const splitList = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

/** Addresses and networks, comma-separated, or through how many proxies every request comes. */
export function asProxies(text: string): string[] | number {
  if (/^\d{1,2}$/.test(text)) return Number(text)
  const networks = splitList(text)
  if (!networks.every(isNetwork))
    throw new Mistake(
      'is a list of addresses or networks, such as 10.0.0.0/8,::1, or a number of proxies',
    )
  const everybody = networks.find(isHalfTheWorld)
  if (everybody !== undefined)
    throw new Mistake(
      `has ${everybody}, which is everybody: anyone could then say to come from any address. Name the networks of ` +
        'your proxies, or say through how many of them every request comes, such as 1',
    )
  return networks
}

function isNetwork(text: string): boolean {
  const [, address = '', prefix] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  return bits > 0 && Number(prefix ?? bits) <= bits
}

/** No operator has so many proxies: a network of more than a 256th of all addresses, or all of IPv4 as IPv6 has it. */
function isHalfTheWorld(network: string): boolean {
  const [address = '', prefix = '128'] = network.split('/')
  if (isIP(address) === 4) return network.includes('/') && Number(prefix) < 8
  return Number(prefix) < 16 || (/^(0*:)*:?(0*:)*ffff:/i.test(address) && Number(prefix) < 104)
}
