import { readdirSync, readFileSync } from 'node:fs'

/** What Linux says of a process; null on other systems. */
export interface ProcessUsage {
  residentMegabytes: number
  /** Of all its threads, since it started. In ticks of 10 ms. */
  cpuSeconds: number
}

const TICKS_PER_SECOND = 100

export function readProcessUsage(pid: number): ProcessUsage | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const [, residentKilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? []
    const stat = readStat(pid)
    if (stat === null) return null
    return {
      residentMegabytes: Number(residentKilobytes) / 1024,
      cpuSeconds: stat.ticks / TICKS_PER_SECOND,
    }
  } catch {
    return null
  }
}

/** What a process and its children have taken since it started: of a postmaster, all of Postgres. */
export function readCpuSecondsOfAll(parentPid: number): number | null {
  const parent = readStat(parentPid)
  if (parent === null) return null
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat?.parentPid === parentPid)
  const ticks = children.reduce((sum, child) => sum + (child?.ticks ?? 0), parent.ticks)
  return (ticks + parent.ticksOfEndedChildren) / TICKS_PER_SECOND
}

export const readParentPid = (pid: number): number | null => readStat(pid)?.parentPid ?? null

/** proc_pid_stat(5): after the name, which may hold anything, ppid is the 2nd, utime to cstime the 12th to 15th. */
function readStat(pid: number) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [user, system, userOfEnded, systemOfEnded] = fields.slice(11, 15).map(Number)
    return {
      parentPid: Number(fields[1]),
      ticks: (user ?? 0) + (system ?? 0),
      ticksOfEndedChildren: (userOfEnded ?? 0) + (systemOfEnded ?? 0),
    }
  } catch {
    return null
  }
}
