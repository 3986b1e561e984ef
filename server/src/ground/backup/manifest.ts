import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatabaseRoles } from '../database/read-database-roles.ts'
import { OperatorError } from '../errors.ts'

/** What stands beside the data of a backup. It holds no password, and no key but sealed ones. */
export interface Manifest extends DatabaseRoles {
  format: 1
  made_at: string
  pie_version: string
  /** The major version of the server. */
  postgres_major: number
  /** A copy of an embedded Postgres's data directory, or what pg_dump has written. */
  kind: 'embedded' | 'dump'
  /** System and processor, which a data directory belongs to: `linux-x64`. */
  platform: string
  /** Of pg_dump, for a dump: no older pg_restore reads it. */
  client_major: number | null
  database: string
  /** The role that Pie worked as. */
  owner: string
  /** The private half of each is sealed under SECRET_KEY, which is not here. */
  sealed_signing_keys: { kid: string; sealed_private: string }[]
  /** Those that a data directory needs, also where nothing is in them. */
  directories: string[]
  /** SHA-256 of each file, hexadecimal, by its path in the backup. */
  checksums: Record<string, string>
}

/** The file that it is written to. */
export const MANIFEST = 'pie-backup.json'
const FILE = MANIFEST

export async function writeManifest(directory: string, manifest: Manifest): Promise<void> {
  const text = `${JSON.stringify(manifest, null, 2)}\n`
  await writeFile(join(directory, FILE), text, { mode: 0o600 })
}

/** @throws OperatorError when there is no backup, or none that this version reads */
export async function readManifest(directory: string): Promise<Manifest> {
  const manifest = await readJson(directory)
  if (manifest.format !== 1)
    throw new OperatorError(
      `The backup in ${directory} has the form ${manifest.format}, which this version of Pie does not read. ` +
        `It was made by Pie ${manifest.pie_version}: restore it with that version or a later one.`,
    )
  if (!isWhole(manifest))
    throw new OperatorError(
      `The backup in ${directory} is damaged: its ${FILE} is not as it was written. Nothing was restored.`,
    )
  return manifest
}

async function readJson(directory: string): Promise<Manifest> {
  let text: string
  try {
    text = await readFile(join(directory, FILE), 'utf8')
  } catch (cause) {
    throw new OperatorError(
      `There is no backup in ${directory}: it has no ${FILE}. A backup that was not finished has none either.`,
      { cause },
    )
  }
  try {
    return Object(JSON.parse(text))
  } catch (cause) {
    throw new OperatorError(`The backup in ${directory} is damaged: ${FILE} is no JSON.`, { cause })
  }
}

/** A path of the backup's own, such as `data/PG_VERSION`, and none that leads out of it. */
const isInside = (path: string): boolean =>
  /^[^/\\]/.test(path) && path.split(/[/\\]/).every((part) => !['', '.', '..'].includes(part))

const isText = (value: unknown): value is string => typeof value === 'string'

/** Every part that a restore goes by. */
function isWhole({
  kind,
  checksums,
  directories,
  roles,
  sealed_signing_keys: sealed,
  owner,
  platform,
}: Manifest): boolean {
  const files = Object.entries(Object(checksums) as object)
  return (
    ['embedded', 'dump'].includes(kind) &&
    [owner, platform].every(isText) &&
    Array.isArray(directories) &&
    directories.every((path: unknown) => isText(path) && isInside(path)) &&
    files.length > 0 &&
    files.every(([path, hash]) => isInside(path) && /^[0-9a-f]{64}$/.test(String(hash))) &&
    Array.isArray(roles) &&
    roles.every((role: unknown) => isText(Object(role).name)) &&
    Array.isArray(sealed) &&
    sealed.every((key: unknown) => isText(Object(key).kid) && isText(Object(key).sealed_private))
  )
}
