import type { Ground } from '../../ground/ground.ts'
import type { Instruments } from './instruments.ts'

export function describePasswords(
  { gauge, counter, histogram }: Instruments,
  { hasher }: Pick<Ground, 'hasher'>,
): void {
  gauge({
    name: 'pie_password_tasks_waiting',
    help: 'Passwords that wait to be hashed, compared or judged.',
    read: () => hasher.status().waiting,
  })
  gauge({
    name: 'pie_password_tasks_running',
    help: 'Passwords that are being hashed, compared or judged now.',
    read: () => hasher.status().running,
  })
  gauge({
    name: 'pie_password_threads',
    help: 'How many of them may be at once.',
    read: () => hasher.status().threads,
  })
  counter({
    name: 'pie_password_tasks_refused_total',
    help: 'Passwords that were not taken because too many waited: 503 busy.',
    read: () => hasher.status().refused,
  })
  histogram({
    name: 'pie_password_task_duration_seconds',
    help: 'How long passwords took with the waiting, by task: hash, verify or judge.',
    read: () =>
      Object.entries(hasher.status().took).map(([task, value]) => ({ labels: { task }, value })),
  })
}
