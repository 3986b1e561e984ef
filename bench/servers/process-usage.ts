import { readFileSync } from 'node:fs'

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
    // proc_pid_stat(5): after the name, which may hold anything, utime and stime are the 12th and 13th.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return {
      residentMegabytes: Number(residentKilobytes) / 1024,
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    }
  } catch {
    return null
  }
}
