/** What a column is called that holds what nobody is to read who could guess its name. */
const sensitive =
  /^(?:(?:\w+_)?(?:password|passwd|passphrase|passcode|password_hash|password_digest|passwordhash)|(?:encrypted|hashed)_(?:password|token|secret)|(?:\w+_)?secret(?:_key|_hash)?|(?:\w+_)?token(?:_hash)?|(?:access|refresh|auth|api|bearer|session|reset|confirmation|recovery|remember|invite|oauth|id|csrf|verification)_?tokens?(?:_hash)?|api_?keys?(?:_hash)?|(?:private|signing|encryption|service|access)_?keys?|otp(?:_secret|_code)?|totp(?:_secret)?|mfa_secret|(?:recovery|backup)_codes?|ssn|social_security(?:_number)?|national_id|passport_(?:no|number)|tax_id|iban|(?:bank_)?account_number|card_number|credit_card(?:_number)?|cvv|cvc|pin_code)$/

export const isSensitive = ({ name }: { name: string }): boolean =>
  sensitive.test(name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase())
