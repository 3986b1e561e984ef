/**
 * `npm run build`: makes of each workspace that is published what its package holds, in `dist`: JavaScript with
 * declarations and source maps, and what it reads. The repository itself runs the TypeScript.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const repository = fileURLToPath(new URL('../', import.meta.url))

/** What each package has besides its code, by where it stands in the repository and in the workspace. */
const published: Record<string, Record<string, string>> = {
  advisor: {},
  server: { 'database/migrations': 'dist/database/migrations' },
}
const inEach = { LICENSE: 'LICENSE', 'CHANGELOG.md': 'CHANGELOG.md' }

/** @param workspace `server` or `advisor` */
function build(workspace: string): void {
  const directory = join(repository, workspace)
  rmSync(join(directory, 'dist'), { recursive: true, force: true })
  const compiler = join(repository, 'node_modules/.bin/tsc')
  const { status } = spawnSync(compiler, ['-p', join(directory, 'tsconfig.build.json')], {
    stdio: 'inherit',
  })
  if (status !== 0) throw new Error(`${workspace} could not be compiled`)
  for (const [from, to] of Object.entries({ ...inEach, ...published[workspace] }))
    cpSync(join(repository, from), join(directory, to), { recursive: true })
}

const named = process.argv.slice(2)
for (const workspace of named.length > 0 ? named : Object.keys(published)) build(workspace)
