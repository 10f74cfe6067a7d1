import {
  ClientAssertionCredential,
  ClientCertificateCredential,
  ManagedIdentityCredential,
  type TokenCredential,
} from "@azure/identity";
import type { Clock } from "../../ports/clock.ts";

/** How the app proves who it is in one tenant, with every secret part already fetched. */
export type CredentialSettings =
  | { kind: "certificate"; clientId: string; pem: () => Promise<string> }
  | { kind: "managedIdentity"; clientId: string | undefined }
  | { kind: "federated"; clientId: string; managedIdentityClientId: string; audience: string };

export interface TokenSettings {
  tenantId: string;
  /** The login root of the tenant's cloud. */
  login: string;
  /** An authority that Microsoft does not know: the sandbox. */
  ownAuthority: boolean;
  scope: string;
  credential: CredentialSettings;
  clock: Clock;
}

/** Tokens are kept until this long before their end. */
const EARLY_MS = 300_000;

/** Gives an access token, from memory while it is good. Asked for by many at once it is fetched once. */
export function tokenSource(settings: TokenSettings): () => Promise<string> {
  let credential: Promise<TokenCredential> | undefined;
  let current: { token: Promise<string>; until: number } | undefined;
  return () => {
    if (current && settings.clock.now() < current.until) return current.token;
    credential ??= credentialOf(settings);
    const fetching = credential.then((one) => one.getToken(settings.scope));
    const token = fetching.then((answer) => {
      if (!answer) throw new Error("the credential gave no token");
      return answer.token;
    });
    const asked = { token, until: Number.POSITIVE_INFINITY };
    current = asked;
    fetching.then(
      (answer) => {
        asked.until = (answer?.expiresOnTimestamp ?? 0) - EARLY_MS;
      },
      () => {
        if (current === asked) current = undefined;
        credential = undefined;
      },
    );
    return token;
  };
}

/** Asks for a token that nobody has kept, as far as the credential allows. Throws what the login says to it. */
export const tokenProbe = (settings: TokenSettings) => async (): Promise<void> => {
  const credential = await credentialOf(settings);
  if (!(await credential.getToken(settings.scope))) throw new Error("the credential gave no token");
};

async function credentialOf({ tenantId, login, ownAuthority, credential }: TokenSettings): Promise<TokenCredential> {
  // The hint comes back instead. What asks the platform's own identity endpoint keeps its few tries: that one needs them at start.
  const options = { authorityHost: login, disableInstanceDiscovery: ownAuthority, retryOptions: { maxRetries: 0 } };
  switch (credential.kind) {
    case "certificate":
      return new ClientCertificateCredential(
        tenantId,
        credential.clientId,
        { certificate: await credential.pem() },
        options,
      );
    case "managedIdentity":
      return credential.clientId
        ? new ManagedIdentityCredential({ clientId: credential.clientId })
        : new ManagedIdentityCredential();
    case "federated": {
      const identity = new ManagedIdentityCredential({ clientId: credential.managedIdentityClientId });
      const assertion = async () => (await identity.getToken(`${credential.audience}/.default`)).token;
      return new ClientAssertionCredential(tenantId, credential.clientId, assertion, options);
    }
  }
}
