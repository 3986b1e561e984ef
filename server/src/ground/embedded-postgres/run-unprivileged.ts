import { accessSync, chownSync, constants, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { OperatorError } from '../errors.ts'
import { runProgram, runProgramNow } from '../run-program.ts'

/** How to start a program of Postgres, which refuses to run as root. */
export interface Unprivileged {
  wrap(command: string, args: string[]): [command: string, args: string[]]
  /** To be passed to spawn. */
  identity: { uid?: number; gid?: number }
  /** Hands a directory, and all in it, to the user that Postgres will run as. */
  own(directory: string): Promise<void>
}

/**
 * Finds a way to run Postgres here.
 *
 * An ordinary user runs it as it is. For root there are two ways. In a user namespace the program sees
 * itself as another user while its files stay root's, so it works in a directory that only root may
 * enter, such as a fresh temporary one. Where the system forbids namespaces (many containers do), the
 * user `postgres` runs it, and has to be able to reach the directory.
 *
 * @param mustReach paths that the program reads: its binaries and the data directory
 */
export function findUnprivileged(mustReach: string[]): Unprivileged {
  if (process.getuid?.() !== 0) {
    return { wrap: (command, args) => [command, args], identity: {}, own: async () => {} }
  }
  const somebody = findUser((uid) => uid !== 0)
  if (somebody !== undefined) {
    const mapping = ['--user', `--map-user=${somebody.uid}`, `--map-group=${somebody.gid}`, '--']
    if (runProgramNow('unshare', [...mapping, 'true']).isGood) {
      return {
        wrap: (command, args) => ['unshare', [...mapping, command, ...args]],
        identity: {},
        own: (directory) => changeOwner(directory, 0, 0),
      }
    }
  }
  const postgres = findUser((_, name) => name === 'postgres') ?? addPostgresUser()
  for (const path of mustReach) checkReachable(path, postgres)
  return {
    wrap: (command, args) => [command, args],
    identity: postgres,
    own: (directory) => changeOwner(directory, postgres.uid, postgres.gid),
  }
}

interface User {
  uid: number
  gid: number
}

function findUser(matches: (uid: number, name: string) => boolean): User | undefined {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name = '', , uid, gid] = line.split(':')
    if (name !== '' && matches(Number(uid), name)) return { uid: Number(uid), gid: Number(gid) }
  }
  return undefined
}

function addPostgresUser(): User {
  runProgramNow('useradd', ['--system', '--user-group', '--shell', '/usr/sbin/nologin', 'postgres'])
  const added = findUser((_, name) => name === 'postgres')
  if (added === undefined)
    throw new OperatorError('Could not add a user to run Postgres as. Run Pie as an ordinary user.')
  return added
}

/** Postgres opens its files by their full path, so every directory above them has to let it pass. */
function checkReachable(path: string, user: User): void {
  for (let directory = path; directory !== dirname(directory); directory = dirname(directory)) {
    const { mode, uid, gid } = statSync(directory)
    const execute = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
    if ((mode & execute) === 0 && directory !== path) {
      throw new OperatorError(
        `Postgres does not run as root, and the user postgres may not enter ${directory}. ` +
          `Run Pie as an ordinary user, move it elsewhere, or allow it: chmod o+x ${directory}`,
      )
    }
  }
}

async function changeOwner(directory: string, uid: number, gid: number): Promise<void> {
  accessSync(directory, constants.F_OK)
  if (statSync(directory).uid === uid) return
  chownSync(directory, uid, gid)
  await runProgram('chown', ['-R', `${uid}:${gid}`, directory])
}
