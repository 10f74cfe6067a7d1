/** What the administrators of a target tenant let in. */
export interface InboundPolicy {
  /**
   * `refused`: user synchronization from this source is switched off. `blocked`: so are invitations, from there or
   * altogether. `disabled`: the app gets no tokens there. `consentMissing`: the tenant refuses the app otherwise. `unknown`: there is no rule about this source, or the app may not read it. Throws `SyncError`
   * when the tenant gives no answer.
   */
  from(sourceTenantId: string): Promise<"allowed" | "refused" | "blocked" | "disabled" | "consentMissing" | "unknown">;
}
