/**
 * The clouds and the pairs of clouds, as data. Sources: Graph `concepts/deployments.md` (roots), Entra
 * `authentication-national-cloud.md` (login hosts), `cross-cloud-settings.md` and
 * `cross-tenant-synchronization-overview.md` (pairs and what does not work across them), Entra `access-tokens.md` and the
 * answer of Microsoft to "What are the token issuers for the sovereign cloud" (learn.microsoft.com/answers/questions/1190472:
 * v1 tokens of US Government are issued by sts.windows.net too).
 */
export const CLOUDS = {
  /** Commercial, also GCC. */
  global: {
    title: "Commercial",
    graph: "https://graph.microsoft.com",
    login: "https://login.microsoftonline.com",
    issuers: { v1: "https://sts.windows.net", v2: "https://login.microsoftonline.com" },
    myApps: "https://myapps.microsoft.com",
    federationAudience: "api://AzureADTokenExchange",
    resetRedemption: true,
  },
  /** US Government L4, GCC High. */
  usGov: {
    title: "US Government (GCC High)",
    graph: "https://graph.microsoft.us",
    login: "https://login.microsoftonline.us",
    issuers: { v1: "https://sts.windows.net", v2: "https://login.microsoftonline.us" },
    myApps: "https://myapps.microsoft.us",
    federationAudience: "api://AzureADTokenExchangeUSGov",
    resetRedemption: true,
  },
  /** US Government L5, DoD. Same login and app registrations as L4, another Graph root. */
  usGovDoD: {
    title: "US Government (DoD)",
    graph: "https://dod-graph.microsoft.us",
    login: "https://login.microsoftonline.us",
    issuers: { v1: "https://sts.windows.net", v2: "https://login.microsoftonline.us" },
    myApps: "https://myapps.microsoft.us",
    federationAudience: "api://AzureADTokenExchangeUSGov",
    resetRedemption: true,
  },
  /** Operated by 21Vianet. */
  china: {
    title: "China (21Vianet)",
    graph: "https://microsoftgraph.chinacloudapi.cn",
    login: "https://login.chinacloudapi.cn",
    issuers: { v1: "https://sts.chinacloudapi.cn", v2: "https://login.partner.microsoftonline.cn" },
    myApps: "https://portal.azure.cn",
    federationAudience: "api://AzureADTokenExchangeChina",
    resetRedemption: true,
  },
} as const;

export type Cloud = keyof typeof CLOUDS;

/** What two clouds can do with each other. */
export interface CloudPair {
  /** Users of one cloud are unknown by e-mail in the other: they are invited by userPrincipalName. */
  crossCloud: boolean;
  /** Microsoft's synchronization carries the manager here: so does our default mapping set. */
  manager: boolean;
  /** Works, but Microsoft does not list it: a job must say `acceptUnlistedPair`. */
  unlisted: boolean;
}

/**
 * Sponsors can be named in the invitation itself; elsewhere they are added afterwards. Source: the published schemas of Graph
 * v1.0, in which `invitation.invitedUserSponsors` is there for the Global cloud only; `user-post-sponsors.md` holds for all.
 */
export const takesSponsorsInInvitation = (cloud: Cloud): boolean => cloud === "global";

const family = (cloud: Cloud): "global" | "usGov" | "china" => (cloud === "usGovDoD" ? "usGov" : cloud);

/** The pair, or the reason why there is none. */
export function cloudPair(source: Cloud, target: Cloud): CloudPair | { refused: string } {
  const [from, to] = [family(source), family(target)];
  if (from === to) return { crossCloud: false, manager: from === "global", unlisted: from === "china" };
  if (from === "china" && to === "global") return { crossCloud: true, manager: false, unlisted: true };
  if (from === "global" || to === "global") return { crossCloud: true, manager: false, unlisted: false };
  return {
    refused: `B2B collaboration does not exist between ${CLOUDS[source].title} and ${CLOUDS[target].title}: Microsoft connects only Commercial with US Government and Commercial with China`,
  };
}
