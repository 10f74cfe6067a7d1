/** Who calls the admin API, as the cloud's login says. */
export interface Caller {
  tenantId: string;
  /** Object id of the person or service principal. */
  objectId: string;
  /** The application that asked for the token. */
  appId: string | undefined;
  /** App roles that the token grants. */
  roles: readonly string[];
}

/** Verifies access tokens for the admin API. */
export interface AccessTokens {
  /** `undefined`: not a token for us; nobody is told why. Throws `KeysUnavailable` when the cloud's keys cannot be had. */
  verify(token: string): Promise<Caller | undefined>;
}

/** The signing keys of the cloud could not be read: nobody can be let in, and nobody is at fault. */
export class KeysUnavailable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "KeysUnavailable";
  }
}
