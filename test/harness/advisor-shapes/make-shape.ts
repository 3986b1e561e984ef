import pg from 'pg'
import { prepareDatabase } from '../../../server/src/ground/database/prepare-database.ts'
import type { OtherPostgres } from '../other-postgres.ts'
import type { AdvisorShape } from './shape.ts'

export interface MadeShape {
  /** Connected as the shape's owner. */
  owner: pg.Client
  /** Connected as the server's superuser. */
  superuser: pg.Client
  /** Drops the database and the roles that came with it. */
  drop(): Promise<void>
}

const DATABASE = 'shape'

/** Makes a shape in a database of its own. Null where this Postgres lacks an extension that it needs. */
export async function makeShape(
  server: Pick<OtherPostgres, 'url'>,
  shape: AdvisorShape,
): Promise<MadeShape | null> {
  const admin = await connect(server.url)
  if (!(await hasExtensions(admin, shape.needs ?? []))) {
    await admin.end()
    return null
  }
  const before = await listRoles(admin)
  await admin.query(`create database ${DATABASE}`)
  const clients: pg.Client[] = []
  const drop = async () => {
    for (const client of clients) await client.end()
    await admin.query(`drop database ${DATABASE} with (force)`)
    const added = (await listRoles(admin)).filter((role) => !before.includes(role))
    if (added.length > 0) await admin.query(`drop role ${added.join(', ')}`)
    await admin.end()
  }
  try {
    return { ...(await fill(server, shape, clients)), drop }
  } catch (error) {
    await drop()
    throw error
  }
}

async function fill(
  server: Pick<OtherPostgres, 'url'>,
  shape: AdvisorShape,
  clients: pg.Client[],
): Promise<Omit<MadeShape, 'drop'>> {
  const address = new URL(`/${DATABASE}`, server.url)
  const superuser = await connect(address)
  clients.push(superuser)
  await superuser.query(shape.before)
  await superuser.query(`do $$ begin
    execute format('alter database %I owner to %I', current_database(), ${pg.escapeLiteral(shape.owner)});
    execute format('revoke temporary on database %I from public', current_database()); end $$`)
  address.username = encodeURIComponent(shape.owner)
  address.password = 'owner'
  const owner = await connect(address)
  clients.push(owner)
  if (shape.onPie) await prepareDatabase(owner)
  await owner.query(shape.sql)
  return { owner, superuser }
}

async function connect(address: URL): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: address.href })
  await client.connect()
  return client
}

async function hasExtensions(client: pg.Client, names: readonly string[]): Promise<boolean> {
  const { rows } = await client.query('select from pg_available_extensions where name = any ($1)', [
    names,
  ])
  return rows.length === names.length
}

async function listRoles(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    'select quote_ident(rolname) as name from pg_roles',
  )
  return rows.map(({ name }) => name)
}
