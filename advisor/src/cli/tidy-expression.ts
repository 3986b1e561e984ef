/** An expression as Postgres prints it, on one line, and without the names it gives to `(select f())`. */
export function tidyExpression(expression: string): string {
  return expression
    .replace(/\s+/g, ' ')
    .replace(/\( SELECT ((?:\w+\.)?(\w+)\((?:[^()'"]|'[^']*')*\)) AS \2\)/g, '(select $1)')
}
