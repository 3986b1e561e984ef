/**
 * `npm run print`: writes the pages that are printed from the code. With --check, compares them
 * instead, and fails when one is not in step. The database that schema.sql is printed from is linted too.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asOwner, prepareDatabase } from '../server/src/ground/database/prepare-database.ts'
import { startEmbeddedPostgres } from '../server/src/ground/embedded-postgres/start-embedded-postgres.ts'
import { lintOwnSchemas } from './lint-own-schemas.ts'
import { printConfiguration, printEnvironmentExample } from './print-configuration.ts'
import { printSchema } from './print-schema.ts'

const pages: Record<string, () => string | Promise<string>> = {
  '.env.example': printEnvironmentExample,
  'docs/configuration.md': printConfiguration,
  'database/schema.sql': () =>
    onFreshDatabase(async (owner) => {
      await lintOwnSchemas(owner)
      return printSchema(owner)
    }),
}

async function onFreshDatabase<T>(work: Parameters<typeof asOwner<T>>[1]): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'pie-print-'))
  const postgres = await startEmbeddedPostgres({
    directory,
    holder: { kind: 'command' },
    settings: { fsync: 'off' },
  })
  try {
    return await asOwner(postgres.url, async (owner) => {
      await prepareDatabase(owner)
      return work(owner)
    })
  } finally {
    await postgres.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

for (const [file, print] of Object.entries(pages)) {
  const printed = await print()
  if (!process.argv.includes('--check')) {
    writeFileSync(file, printed)
  } else if (!existsSync(file) || readFileSync(file, 'utf8') !== printed) {
    process.stderr.write(
      `${file} is not in step with the code: run npm run print, and review the difference\n`,
    )
    process.exitCode = 1
  }
}
