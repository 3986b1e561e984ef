/**
 * `npm run release -- 0.2.0`: makes a release, and publishes nothing. Sets the version, closes the changelog's list, and
 * packs the tarballs with their checksums into release/. A tag makes a workflow publish the same.
 *
 *   --check 0.2.0   whether this checkout is that version, as the workflow asks
 *   --pack          only the tarballs, of what is here
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const repository = fileURLToPath(new URL('../', import.meta.url))
const directory = join(repository, 'release')
const published = ['advisor', 'server']
/** Applications in this repository that depend on what is published. */
const dependents = ['examples/notes']

class ReleaseError extends Error {}

const read = (file: string): string => readFileSync(join(repository, file), 'utf8')
const write = (file: string, text: string): void => writeFileSync(join(repository, file), text)
const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { cwd: repository, encoding: 'utf8' })

interface Manifest {
  version: string
  dependencies?: Record<string, string>
}

const manifestOf = (workspace: string): Manifest => JSON.parse(read(`${workspace}/package.json`))

function checkVersion(version: string): void {
  if (!/^\d+\.\d+\.\d+(-[0-9a-z.-]+)?$/.test(version))
    throw new ReleaseError(`${version} is no version such as 0.2.0.`)
}

/** Everything that could be wrong is found before anything is written. */
function checkReady(version: string): void {
  checkVersion(version)
  const unsaved = run('git', 'status', '--porcelain').trim()
  if (unsaved !== '') throw new ReleaseError(`Commit or put away first:\n${unsaved}`)
  if (run('git', 'tag', '--list', `v${version}`).trim() !== '')
    throw new ReleaseError(`There is a tag v${version} already.`)
  if (unreleasedOf(read('CHANGELOG.md')) === '')
    throw new ReleaseError('CHANGELOG.md has nothing under "## Unreleased".')
}

const heading = '## Unreleased\n'

/** What stands below a heading of the changelog, as far as the next one. */
function sectionOf(changelog: string, title: string): string {
  const [, after = ''] = changelog.split(title)
  return (after.split(/^## /m)[0] ?? '').trim()
}

const unreleasedOf = (changelog: string): string => sectionOf(changelog, heading)

function setVersion(version: string): void {
  const set = (manifest: Manifest): void => {
    for (const workspace of published)
      if (manifest.dependencies?.[`@pie/${workspace}`] !== undefined)
        manifest.dependencies[`@pie/${workspace}`] = version
  }
  const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, Manifest> }
  for (const workspace of [...published, ...dependents]) {
    const manifests = [manifestOf(workspace), lock.packages[workspace] as Manifest]
    for (const manifest of manifests) {
      if (published.includes(workspace)) manifest.version = version
      set(manifest)
    }
    write(`${workspace}/package.json`, `${JSON.stringify(manifests[0], null, 2)}\n`)
  }
  write('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`)
  const hooks = '.pre-commit-hooks.yaml'
  write(hooks, read(hooks).replace(/(?<=@pie\/advisor@)[\w.-]+/, version))
  const today = new Date().toISOString().slice(0, 10)
  const changelog = read('CHANGELOG.md')
  write('CHANGELOG.md', changelog.replace(heading, `${heading}\n## ${version}, ${today}\n`))
}

function checkIsVersion(version: string): void {
  checkVersion(version)
  for (const workspace of published) {
    const { version: found } = manifestOf(workspace)
    if (found !== version) throw new ReleaseError(`${workspace} is ${found}, and not ${version}.`)
  }
  if (sectionOf(read('CHANGELOG.md'), `## ${version},`) === '')
    throw new ReleaseError(`CHANGELOG.md says nothing of ${version}.`)
}

function pack(): string[] {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory)
  const workspaces = published.flatMap((workspace) => ['--workspace', workspace])
  run('npm', 'pack', '--silent', '--pack-destination', directory, ...workspaces)
  const sums = published.map((workspace) => {
    const file = `pie-${workspace}-${manifestOf(workspace).version}.tgz`
    const sum = createHash('sha256')
      .update(readFileSync(join(directory, file)))
      .digest('hex')
    return `${sum}  ${file}\n`
  })
  writeFileSync(join(directory, 'SHA256SUMS'), sums.join(''))
  const { version } = manifestOf('server')
  writeFileSync(
    join(directory, 'NOTES.md'),
    `${sectionOf(read('CHANGELOG.md'), `## ${version},`)}\n`,
  )
  return sums
}

const { values, positionals } = parseArgs({
  options: { check: { type: 'string' }, pack: { type: 'boolean' } },
  allowPositionals: true,
})
const [version] = positionals
try {
  if (values.check !== undefined) checkIsVersion(values.check)
  else if (values.pack === true) process.stdout.write(pack().join(''))
  else if (version === undefined) throw new ReleaseError('Which version? npm run release -- 0.2.0')
  else {
    checkReady(version)
    setVersion(version)
    process.stdout.write(`${pack().join('')}
In release/. Read the difference, then:

  git commit --all --message "Release ${version}"
  git tag v${version}
  git push origin main v${version}
`)
  }
} catch (error) {
  if (!(error instanceof ReleaseError)) throw error
  process.stderr.write(`release: ${error.message}\n`)
  process.exitCode = 1
}
