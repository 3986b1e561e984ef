/** A running Pie on a database of its own, used only through its doors. */
import assert from 'node:assert/strict'
import pg from 'pg'
import { pino } from 'pino'
import { createClock } from '../../server/src/ground/clock.ts'
import { logOptions } from '../../server/src/ground/log.ts'
import { type RunningPie, startPie } from '../../server/src/server.ts'
import { readConfig } from '../../server/src/settings/read-config.ts'
import { cloneDatabase, testSecretKey } from './cluster.ts'

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects to be there
  body: any
}

export interface RequestOptions {
  method?: string
  /** Sent as JSON. */
  body?: unknown
  /** Sent as it is. */
  raw?: string | Uint8Array
  token?: string
  headers?: Record<string, string>
}

export interface TestPie {
  pie: RunningPie
  /** What Pie logged, a line each. */
  log: string[]
  /** Connected as the owner. */
  owner: pg.Client
  databaseUrl: string
  request(path: string, options?: RequestOptions): Promise<Answer>
  /** Moves Pie's clock. Postgres keeps its own. */
  passSeconds(seconds: number): void
  close(): Promise<void>
}

export interface TestPieOptions {
  /** Settings, over those that a test needs. */
  settings?: Record<string, string>
  /** A database that another Pie under test uses already. */
  databaseUrl?: string
}

export async function startTestPie({
  settings = {},
  databaseUrl,
}: TestPieOptions = {}): Promise<TestPie> {
  const database =
    databaseUrl === undefined ? await cloneDatabase() : { url: databaseUrl, drop: async () => {} }
  const log: string[] = []
  let offsetMs = 0
  const config = readConfig({
    SOCKET: '127.0.0.1:0',
    // One issuer for every node, whichever port it gets.
    SERVICE_DOMAIN: 'http://localhost:3000',
    SECRET_KEY: testSecretKey,
    DATABASE_URL: database.url,
    DATABASE_CONNECTIONS: '4',
    LOG_LEVEL: 'debug',
    RATE_LIMIT_SCALE: '1000',
    ...settings,
  })
  const clock = createClock(() => new Date(Date.now() + offsetMs))
  const pie = await startPie(
    config,
    pino(logOptions(config.LOG_LEVEL), { write: (line: string) => void log.push(line) }),
    clock,
  )
  const owner = new pg.Client({ connectionString: database.url })
  await owner.connect()
  return {
    pie,
    log,
    owner,
    databaseUrl: database.url,
    request: (path, options) => send(pie.address, path, options),
    passSeconds: (seconds) => {
      offsetMs += seconds * 1000
    },
    close: async () => {
      await owner.end()
      await pie.close()
      await database.drop()
    },
  }
}

export async function send(
  address: string,
  path: string,
  options: RequestOptions = {},
): Promise<Answer> {
  const { method, body, raw, token, headers = {} } = options
  const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body))
  const response = await fetch(`${address}${path}`, {
    method: method ?? (payload === undefined ? 'GET' : 'POST'),
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(payload !== undefined && { body: payload as string }),
    redirect: 'manual',
  })
  const text = await response.text()
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? JSON.parse(text) : text,
  }
}

export const goodPassword = 'correct horse battery staple'

/** Registers somebody. Their address is theirs: ada@example.com. */
export async function register(
  { request }: Pick<TestPie, 'request'>,
  name: string,
  password = goodPassword,
): Promise<Answer['body']> {
  const answer = await request('/auth/register', {
    body: { email: `${name}@example.com`, password },
  })
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return answer.body
}

/** Asserts a problem answer with this status and code (RFC 9457). */
export function assertProblem(answer: Answer, status: number, code: string): void {
  assert.deepEqual(
    { status: answer.status, code: answer.body?.code },
    { status, code },
    JSON.stringify(answer.body),
  )
  assert.equal(answer.headers.get('content-type')?.split(';')[0], 'application/problem+json')
  assert.equal(answer.body.status, status)
}

/** Every table's content, to compare before and after: a refusal changes nothing. */
export async function snapshot(
  owner: pg.Client,
  except: string[] = [],
): Promise<Record<string, string>> {
  const { rows: tables } = await owner.query<{ name: string }>(
    `select format('%I.%I', nspname, relname) as name
     from pg_class join pg_namespace on pg_namespace.oid = relnamespace
     where nspname in ('pie_schema', 'pie_private') and relkind in ('r', 'p') and not relispartition order by 1`,
  )
  const contents: Record<string, string> = {}
  for (const { name } of tables) {
    // Nodes say there every minute that they are there.
    if (except.includes(name) || name === 'pie_private.nodes') continue
    const { rows } = await owner.query(
      `select coalesce(jsonb_agg(t order by t::text), '[]')::text as content from ${name} as t`,
    )
    contents[name] = rows[0].content
  }
  return contents
}
