/** `{local}_{domain}#EXT#`: how the userPrincipalName of an invited user begins. Source: Entra `user-properties.md`. */
export function externalNamePrefix(address: string): string {
  return `${address.replace("@", "_")}#EXT#`;
}
