/** What the administrators of a target tenant let in. */
export interface InboundPolicy {
  /**
   * `refused`: user synchronization from this source is switched off. `blocked`: so are invitations. `consentMissing`: the tenant
   * refuses the app altogether. `unknown`: there is no rule about this source, or the app may not read it. Throws `SyncError`
   * when the tenant gives no answer.
   */
  from(sourceTenantId: string): Promise<"allowed" | "refused" | "blocked" | "consentMissing" | "unknown">;
}
