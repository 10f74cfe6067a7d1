/** Change-notification subscriptions of a source tenant. Source: Graph `resources/subscription.md`. */
export interface Subscriptions {
  list(): Promise<readonly Subscription[]>;
  /** `exists`: Graph already has one for this resource and these changes (409). */
  create(wanted: WantedSubscription): Promise<{ kind: "created"; id: string; expiresAt: number } | { kind: "exists" }>;
  /** Also reauthorizes. `missing`: it is gone. */
  renew(id: string, expiresAt: number): Promise<{ kind: "renewed"; expiresAt: number } | { kind: "missing" }>;
  remove(id: string): Promise<void>;
}

export interface Subscription {
  id: string;
  resource: string;
  notificationUrl: string;
  /** ms since 1970. */
  expiresAt: number;
}

export interface WantedSubscription {
  resource: "/users" | "/groups";
  notificationUrl: string;
  lifecycleUrl: string;
  clientState: string;
  expiresAt: number;
}
