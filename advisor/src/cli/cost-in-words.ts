import type { Cost } from '../explain/explanation.ts'

/** What a statement cost, and what of it the policies did. */
export function costInWords(
  { total_ms, planning_ms, pages, rows, rows_removed, ...policies }: Cost,
  isWholeTable: boolean,
): string[] {
  const { policy_nodes, policies_ms, without_policies_ms } = policies
  const without =
    without_policies_ms === null ? '' : `; without policies ${milliseconds(without_policies_ms)}`
  return [
    `\nCost${isWholeTable ? ' of reading it' : ''}: ${milliseconds(total_ms)} (and ${milliseconds(planning_ms)} to plan)${without}; ${rows} ${rows === 1 ? 'row' : 'rows'}, ${rows_removed} filtered away, ${pages} pages.`,
    ...(policy_nodes.length === 0
      ? []
      : [`Of it the policies' own plan nodes: ${milliseconds(policies_ms)}`]),
    ...policy_nodes
      .filter(({ loops }) => loops > 0)
      .map(
        ({ name, node, ms, loops }) =>
          `  ${milliseconds(ms).padStart(9)}  ${name}: ${node}, ${loops} ${loops === 1 ? 'time' : 'times'}`,
      ),
  ]
}

const milliseconds = (ms: number): string => `${ms.toFixed(2)} ms`
