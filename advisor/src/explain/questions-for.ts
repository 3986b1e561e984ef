import type { Action, Question } from './explanation.ts'
import type { Policy } from './read-policies.ts'

type Asked = Pick<Question, 'command' | 'part' | 'of'>

/**
 * What Postgres asks the policies for a statement that finds one row by its key (PostgreSQL manual,
 * CREATE POLICY, "Policies Applied by Command Type"). Because the statement reads columns, an update or
 * delete is asked about reading too, and an update also about reading what it leaves.
 */
const asked: Record<Action, readonly Asked[]> = {
  select: [{ command: 'select', part: 'using', of: 'the row' }],
  insert: [{ command: 'insert', part: 'with check', of: 'the new row' }],
  update: [
    { command: 'select', part: 'using', of: 'the row' },
    { command: 'update', part: 'using', of: 'the row' },
    { command: 'update', part: 'with check', of: 'the new row' },
    { command: 'select', part: 'using', of: 'the new row' },
  ],
  delete: [
    { command: 'select', part: 'using', of: 'the row' },
    { command: 'delete', part: 'using', of: 'the row' },
  ],
}

/** The questions that an action puts to these policies, not answered yet. */
export function questionsFor(action: Action, policies: readonly Policy[]): Question[] {
  return asked[action].map((question) => ({
    ...question,
    passes: null,
    policies: policies
      .filter(({ command }) => command === question.command || command === 'all')
      .map(({ name, is_restrictive, roles, using, with_check }) => ({
        name,
        is_restrictive,
        roles,
        // Without an expression of its own, a check is the same as `using`, and nothing at all is true.
        expression: (question.part === 'using' ? using : (with_check ?? using)) ?? 'true',
        result: null,
        error: null,
      })),
  }))
}
