/** Pie as it was one version ago, from the repository's history. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The commit of it. To be set anew at each release: CONTRIBUTING.md. */
const versionBefore = 'a3f1fd958f65605a8e1f3cfa4f43090191ac94a6'

const repository = fileURLToPath(new URL('../../', import.meta.url))

/** Whether this clone has it: one without history has not. */
export const hasVersionBefore = (): boolean =>
  spawnSync('git', ['cat-file', '-e', `${versionBefore}^{commit}`], { cwd: repository }).status ===
  0

export interface VersionBefore {
  /** Its `pie`. */
  program: string
  remove(): void
}

/** Puts it into a directory of its own, with the packages that are installed now. */
export function checkOutVersionBefore(): VersionBefore {
  const directory = mkdtempSync(join(tmpdir(), 'pie-before-'))
  const archive = execFileSync(
    'git',
    ['archive', versionBefore, 'package.json', 'server', 'advisor', 'database'],
    {
      cwd: repository,
      maxBuffer: 2 ** 28,
    },
  )
  execFileSync('tar', ['-x', '-C', directory], { input: archive })
  for (const workspace of ['.', 'server', 'advisor']) {
    const packages = join(repository, workspace, 'node_modules')
    if (!existsSync(packages)) continue
    mkdirSync(join(directory, workspace), { recursive: true })
    symlinkSync(packages, join(directory, workspace, 'node_modules'))
  }
  return {
    program: join(directory, 'server/bin/pie.js'),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}
