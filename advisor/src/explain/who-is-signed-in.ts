import type pg from 'pg'
import { attempt } from '../database/attempt.ts'
import type { Question } from './explanation.ts'

/**
 * What the policies go by to know who asks, and is not there: settings that are not set, and functions without arguments that
 * answer with null. A sentence for each.
 */
export async function whoIsSignedIn(
  client: pg.ClientBase,
  questions: readonly Question[],
): Promise<string[]> {
  const expressions = new Set(
    questions.flatMap(({ policies }) => policies.map(({ expression }) => expression)),
  )
  const text = [...expressions].join('\n')
  const settings = settingsIn(text)
  const hints: string[] = []
  for (const called of new Set(
    text.match(/(?:(?:\w+|"[^"]+")\.)?(?:\w+|"[^"]+")(?=\(\))/g) ?? [],
  )) {
    const sources = await sourcesOf(client, called)
    if (sources === null) continue
    const { found } = await attempt(client, () =>
      client.query<{ is_null: boolean }>(`select ${called}() is null as is_null`),
    )
    if (found?.rows[0]?.is_null !== true) continue
    hints.push(
      `Nobody is signed in: ${called}() is null.${howToGive(settingsIn(sources.join('\n')))}`,
    )
  }
  for (const setting of settings) {
    const { found } = await attempt(client, () =>
      client.query<{ value: string | null }>('select current_setting($1, true) as value', [
        setting,
      ]),
    )
    if (found !== null && (found.rows[0]?.value ?? '') === '')
      hints.push(`Nobody is signed in: ${setting} is not set.${howToGive([setting])}`)
  }
  return hints
}

const settingsIn = (text: string): string[] => [
  ...new Set(
    [...text.matchAll(/current_setting\(\s*'([\w.]+\.[\w.]+)'/g)].flatMap(([, name]) => name ?? []),
  ),
]

/** As the server in front would: PostgREST's claims are one setting. */
function howToGive(settings: readonly string[]): string {
  const name = settings.find((one) => one === 'request.jwt.claims') ?? settings[0]
  if (name === undefined) return ''
  if (name.startsWith('request.jwt'))
    return ` Give the token's claims: --setting 'request.jwt.claims={"sub":"…","role":"authenticated"}'`
  return ` Give it as your application does: --setting ${name}=…`
}

/** The text of functions that somebody wrote, and of what those call by name; null of Postgres' own. */
async function sourcesOf(client: pg.ClientBase, called: string): Promise<string[] | null> {
  const { found } = await attempt(client, () =>
    client.query<{ source: string | null }>(
      `select coalesce(prosrc, '') as source from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
       where pg_proc.oid = to_regprocedure($1) and nspname <> 'pg_catalog' and not proretset`,
      [`${called}()`],
    ),
  )
  const sources = found?.rows.map(({ source }) => source ?? '') ?? []
  return sources.length === 0 ? null : sources
}
