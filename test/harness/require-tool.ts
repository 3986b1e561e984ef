import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/**
 * Makes sure that a program from outside npm is there: on the PATH, or installed with apt for root on
 * Debian, or named in one sentence that says how to get it.
 *
 * @param program what is run
 * @param debianPackage the package that brings it
 */
export function requireTool(program: string, debianPackage: string): void {
  if (isOnPath(program)) return
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    spawnSync('apt-get', ['update'], { stdio: 'ignore' })
    const options = ['--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120']
    spawnSync('apt-get', ['install', '-y', ...options, debianPackage], {
      stdio: 'ignore',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
    if (isOnPath(program)) return
  }
  throw new Error(
    `The tests need ${program}: install it (on Debian: apt-get install ${debianPackage}; on macOS: brew install ${debianPackage}) and run them again.`,
  )
}

function isOnPath(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0
}
