/** A column that says whose a row is. */
export const saysWhose =
  /^(?:user|account|owner|member|person|customer|profile|author|subject|recipient|sender|created_by|owned_by)(?:_?(?:id|uuid|uid))?$/i
