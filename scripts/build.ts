/**
 * `npm run build`: makes of each workspace that is published what its package holds, in `dist`: JavaScript with
 * declarations and source maps, and what it reads. The repository itself runs the TypeScript.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { leaveOutUnreachable } from './leave-out-unreachable.ts'

const repository = fileURLToPath(new URL('../', import.meta.url))

/** What each package has besides its code, by where it stands in the repository and in the workspace. */
const published: Record<string, Record<string, string>> = {
  advisor: {
    'docs/guides/lint.md': 'docs/guides/lint.md',
    'docs/guides/exposure-and-explain.md': 'docs/guides/exposure-and-explain.md',
    'docs/guides/advisor-in-your-build.md': 'docs/guides/advisor-in-your-build.md',
  },
  server: {
    'database/migrations': 'dist/database/migrations',
    'database/expected.json': 'dist/database/expected.json',
  },
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
  nameBuiltFiles(join(directory, 'dist'))
  leaveOutEmptyFiles(join(directory, 'dist'))
  leaveOutUnreachable(directory)
  if (workspace !== 'advisor') leaveOutMaps(join(directory, 'dist/advisor'))
  for (const [from, to] of Object.entries({ ...inEach, ...published[workspace] }))
    cpSync(join(repository, from), join(directory, to), { recursive: true })
}

/** The compiler does so in JavaScript, and leaves what declarations import as it was written. */
function nameBuiltFiles(directory: string): void {
  for (const file of globSync('**/*.d.ts', { cwd: directory })) {
    const path = join(directory, file)
    const text = readFileSync(path, 'utf8')
    writeFileSync(
      path,
      text.replaceAll(/(from |import |import\()(['"])(\.[^'"]+)\.ts\2/g, '$1$2$3.js$2'),
    )
  }
}

/** Of a file that has only types nothing is left to run: its declaration is all of it. */
function leaveOutEmptyFiles(directory: string): void {
  for (const file of globSync('**/*.js', { cwd: directory })) {
    const path = join(directory, file)
    if (!readFileSync(path, 'utf8').startsWith('export {};\n//#')) continue
    for (const left of [path, `${path}.map`]) rmSync(left)
  }
}

/** Of what another package is published for, its maps stand there: here they would be a third of it, and its code reads well as it is. */
function leaveOutMaps(directory: string): void {
  for (const file of globSync('**/*.js', { cwd: directory })) {
    const path = join(directory, file)
    rmSync(`${path}.map`, { force: true })
    writeFileSync(path, readFileSync(path, 'utf8').replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n'))
  }
}

const named = process.argv.slice(2)
for (const workspace of named.length > 0 ? named : Object.keys(published)) build(workspace)
