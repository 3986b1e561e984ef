import type pg from 'pg'
import { OperatorError } from '../errors.ts'
import { setOf } from './applied-migrations.ts'
import { COMPATIBLE, PIES_OWN } from './migrate.ts'

export interface Redone {
  application: string
  /** What was dropped: `table app.notes`. */
  dropped: string[]
  /** The migrations that will run again. */
  forgotten: string[]
}

/** What `readMade` writes down begins with. */
const kind =
  /^(schema|table|view|materialized view|foreign table|sequence|function|procedure|aggregate|type|policy|trigger) /

interface MadeRow {
  name: string
  /** Null where a Pie ran it that did not write it down. */
  made: string[] | null
}

/**
 * Takes away what an application's migrations have made, so that they run again: for whoever is still writing the first of
 * them. In one transaction. To be called in turn.
 *
 * @param given the application's name; may be null where there is only one
 * @param evenWithRows whether rows may be lost
 * @throws OperatorError when rows would be, or it is not known what was made
 */
export async function redoMigrations(
  owner: pg.Client,
  given: string | null,
  evenWithRows: boolean,
): Promise<Redone> {
  const { rows } = await owner.query<MadeRow>(
    'select name, made from pie_private.migrations order by name',
  )
  const application = given ?? onlyOne(rows)
  if ([PIES_OWN, COMPATIBLE].includes(application))
    throw new OperatorError(`Pie’s own migrations are not redone. ${namesInWords(rows)}`)
  const own = rows.filter(({ name }) => setOf(name) === application)
  if (own.length === 0)
    throw new OperatorError(`No migrations of ${application} have run here. ${namesInWords(rows)}`)
  const unknown = own.filter(({ made }) => made === null)
  if (unknown.length > 0 && !evenWithRows)
    throw new OperatorError(
      `What ${unknown.map(({ name }) => name).join(', ')} made was not written down by the Pie that ran it. Drop it yourself, ` +
        `then run pie migrate --redo ${application} --yes.`,
    )
  const dropped = own.flatMap(({ made }) => made ?? []).reverse()
  await owner.query('begin')
  try {
    if (!evenWithRows) await checkEmpty(owner, dropped)
    await dropAll(owner, dropped)
    await owner.query('delete from pie_private.migrations where name = any($1)', [
      own.map(({ name }) => name),
    ])
    await owner.query('commit')
  } catch (error) {
    await owner.query('rollback')
    throw error
  }
  return { application, dropped, forgotten: own.map(({ name }) => name) }
}

/**
 * Drops what nothing depends on, again and again, until nothing is left; never what somebody else has made.
 * @throws OperatorError that says what does
 */
async function dropAll(owner: pg.Client, objects: string[]): Promise<void> {
  let left = objects
  while (left.length > 0) {
    const kept: string[] = []
    let reason = ''
    for (const object of left) {
      await owner.query('savepoint dropping')
      try {
        await owner.query(`drop ${object.replace(kind, '$1 if exists ')}`)
      } catch (error) {
        await owner.query('rollback to savepoint dropping')
        const { message, detail = '' } = error as pg.DatabaseError
        reason = `${message}${detail ? `: ${detail.replaceAll('\n', ', ')}` : ''}`
        kept.push(object)
      }
    }
    if (kept.length === left.length)
      throw new OperatorError(
        `What the migrations have made is in use by what they have not: ${reason}. Nothing was changed. Drop that first.`,
      )
    left = kept
  }
}

function onlyOne(rows: MadeRow[]): string {
  const applications = applicationsOf(rows)
  const [first] = applications
  if (first === undefined || applications.length > 1)
    throw new OperatorError(
      first === undefined
        ? 'No application has run migrations here.'
        : `Which one? ${namesInWords(rows)}`,
    )
  return first
}

const applicationsOf = (rows: MadeRow[]): string[] => [
  ...new Set(
    rows.map(({ name }) => setOf(name)).filter((set) => set !== PIES_OWN && set !== COMPATIBLE),
  ),
]

const namesInWords = (rows: MadeRow[]): string =>
  `There are those of: ${applicationsOf(rows).join(', ') || 'nobody'}.`

/** Row-level security may hide rows from the owner too: with it off, they are an error instead. */
async function checkEmpty(owner: pg.Client, made: string[]): Promise<void> {
  await owner.query('set local row_security = off')
  try {
    await checkEach(owner, made)
  } finally {
    await owner.query('set local row_security = on').catch(() => {})
  }
}

async function checkEach(owner: pg.Client, made: string[]): Promise<void> {
  for (const object of made) {
    const [, table] = /^table (.+)$/s.exec(object) ?? []
    if (table === undefined) continue
    const { rows: there } = await owner.query('select to_regclass($1) is not null as there', [
      table,
    ])
    if (!there[0]?.there) continue
    await owner.query('savepoint looking')
    const isEmpty = await owner
      .query(`select exists (select from ${table}) as filled`)
      .then(({ rows }) => rows[0]?.filled === false)
      .catch(() => false)
    await owner.query('rollback to savepoint looking')
    if (!isEmpty)
      throw new OperatorError(
        `There are rows in ${table}, which would be lost. Nothing was changed. On a database for development, add --yes.`,
      )
  }
}
