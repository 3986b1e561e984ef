import type { Ground } from '../../ground/ground.ts'

/**
 * Makes the partitions of the audit log that the next months need, and drops those that are older than it is kept.
 * @param retentionSeconds null for ever
 * @returns how many were dropped
 */
export async function keepAuditMonths(
  { auth }: Pick<Ground, 'auth'>,
  retentionSeconds: number | null,
): Promise<number> {
  await auth.send({
    name: 'make_audit_months',
    text: 'select pie_private.make_audit_months()',
    values: [],
  })
  if (retentionSeconds === null) return 0
  const [[row] = []] = await auth.send({
    name: 'drop_audit_months',
    text: 'select pie_private.drop_audit_months(make_interval(secs => $1)) as dropped',
    values: [retentionSeconds],
  })
  return Number(row?.['dropped'] ?? 0)
}
