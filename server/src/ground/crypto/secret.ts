import { createSecretKey, type KeyObject } from 'node:crypto'
import { inspect } from 'node:util'

/**
 * A value that must not be seen. It prints as `[secret]` in logs, errors, templates and JSON, and has
 * to be asked for by name: `secret.reveal()`.
 */
export class Secret {
  readonly #bytes: Buffer
  #key: KeyObject | undefined

  private constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  static fromText(text: string): Secret {
    return new Secret(Buffer.from(text, 'utf8'))
  }

  static fromBytes(bytes: Uint8Array): Secret {
    return new Secret(Buffer.from(bytes))
  }

  /** The bytes themselves, for the one line that needs them. */
  reveal(): Buffer {
    return this.#bytes
  }

  /** The same as node:crypto takes it fastest; made once. */
  revealKey(): KeyObject {
    this.#key ??= createSecretKey(this.#bytes)
    return this.#key
  }

  revealText(): string {
    return this.#bytes.toString('utf8')
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return '[secret]'
  }
}
