import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { OperatorError } from '../../ground/errors.ts'

/**
 * Asks for something at the terminal, and shows nothing of what is typed.
 * @param otherwise what to do where nobody can be asked
 * @throws OperatorError where standard input is no terminal
 */
export async function askSecret(question: string, otherwise: string): Promise<string> {
  if (!process.stdin.isTTY) throw new OperatorError(otherwise)
  process.stderr.write(question)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  // Ctrl-C and Ctrl-D are an answer too.
  const given = new Promise<string>((resolve) => {
    terminal.once('line', resolve)
    terminal.once('close', () => resolve(''))
  })
  const answer = await given
  terminal.close()
  process.stderr.write('\n')
  if (answer.trim() === '') throw new OperatorError(otherwise)
  return answer
}
