/** Thrown when a question cannot be answered as it was asked, with a message for whoever asked it. */
export class AdvisorError extends Error {
  override readonly name = 'AdvisorError'
}
