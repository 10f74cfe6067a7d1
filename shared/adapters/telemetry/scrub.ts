/**
 * Nothing of ours puts such things into a line; libraries put them into the texts of their errors. Every pattern stays
 * within one JSON string, and takes time that grows with the text alone.
 */
const PATTERNS: readonly RegExp[] = [
  /\beyJ[\w-]{5,}(?:\.[\w-]+){0,4}/g, // JSON Web Tokens
  /\b(?:Bearer|SharedAccessSignature)\s+[^\s"\\]+/gi,
  /\b(?:client_secret|client_assertion|access_token|refresh_token|id_token|password|sig|SharedAccessKey|AccountKey|validationToken)(?:=|%3D)[^\s"\\&;]+/gi,
  /-----BEGIN [A-Z ]{1,40}-----[^"-]*(?:-----END [A-Z ]{1,40}-----)?/g,
  /\/api\/graph-(?:notification|lifecycle)\/[^\s"\\]+/g,
];

/** In any script. */
const ADDRESS = /[\p{L}\p{N}_.+'’#-]{1,256}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63})+/gu;

export function scrub(line: string): string {
  const text = PATTERNS.reduce((before, pattern) => before.replace(pattern, "(removed)"), line);
  return text.includes("@") ? text.replace(ADDRESS, "(removed)") : text; // most lines have none, and are not looked through
}
