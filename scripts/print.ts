/**
 * `npm run print`: writes the pages that are printed from the code. With --check, compares them
 * instead, and fails when one is not in step. The database that they are printed from is linted first.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Secret } from '../server/src/ground/crypto/secret.ts'
import { asOwner, prepareDatabase } from '../server/src/ground/database/prepare-database.ts'
import { startEmbeddedPostgres } from '../server/src/ground/embedded-postgres/start-embedded-postgres.ts'
import { lintOwnSchemas } from './lint-own-schemas.ts'
import { printConfiguration, printEnvironmentExample } from './print-configuration.ts'
import { printExpected } from './print-expected.ts'
import { printExposure } from './print-exposure.ts'
import { printGraphql } from './print-graphql.ts'
import { printSchema } from './print-schema.ts'

type Owner = Parameters<Parameters<typeof asOwner>[1]>[0]

const pages: Record<string, (owner: Owner, url: Secret) => string | Promise<string>> = {
  '.env.example': printEnvironmentExample,
  'docs/configuration.md': printConfiguration,
  'database/schema.sql': printSchema,
  'database/expected.json': printExpected,
  'docs/exposure.md': printExposure,
  'docs/graphql.graphql': (_owner, url) => printGraphql(url),
}

async function onFreshDatabase(work: (owner: Owner, url: Secret) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'pie-print-'))
  const postgres = await startEmbeddedPostgres({
    directory,
    holder: { kind: 'command' },
    settings: { fsync: 'off' },
  })
  try {
    await asOwner(postgres.url, async (owner) => {
      await prepareDatabase(owner)
      await work(owner, postgres.url)
    })
  } finally {
    await postgres.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

await onFreshDatabase(async (owner, url) => {
  await lintOwnSchemas(owner)
  for (const [file, print] of Object.entries(pages)) {
    const printed = await print(owner, url)
    if (!process.argv.includes('--check')) {
      writeFileSync(file, printed)
    } else if (!existsSync(file) || readFileSync(file, 'utf8') !== printed) {
      process.stderr.write(
        `${file} is not in step with the code: run npm run print, and review the difference\n`,
      )
      process.exitCode = 1
    }
  }
})
