/**
 * The Graph tenants as a process of their own: argument 1 is a `GraphProcessOptions` as JSON, the report to the parent a
 * `GraphReport`. It makes the organization from the seed, as its parent does, and populates the tenants before it answers.
 */
import { readFileSync } from "node:fs";
import { SyncConfig } from "../../shared/config/schema.ts";
import { realClock, type SandboxClock } from "../clock.ts";
import { serveControl } from "../graph/control.ts";
import { createGraphTenants } from "../graph/index.ts";
import { harRecorder } from "../graph/recorder.ts";
import { openAddresses } from "../graph/server.ts";
import { httpsDelivery } from "../graph/webhooks.ts";
import { describeDifference, peopleRight } from "../oracle.ts";
import { readExport } from "../organization/exports.ts";
import { organization, populate } from "../organization/topology.ts";
import { watchWrites } from "../write-watch.ts";
import { liveWithParent, reportFailure, reportReady } from "./child.ts";
import type { DifferencesAnswer, GraphProcessOptions, GraphReport } from "./graph-report.ts";

async function start(options: GraphProcessOptions): Promise<void> {
  const { seed, people, usersFile, recordFile } = options;
  const users = usersFile === undefined ? undefined : readExport(readFileSync(usersFile));
  const contoso = organization({ seed, people, certificates: options.appCertificates, ...(users && { users }) });
  const recorder = recordFile === undefined ? undefined : harRecorder(recordFile);
  const clock = clockWithPast();
  const addresses = await openAddresses(contoso.tenants, { key: options.serverKey, cert: options.serverCert });
  const tenants = createGraphTenants({
    seed,
    clock,
    tenants: contoso.tenants.map((spec) => ({ ...spec, computedUsers: options.computedUsers?.[spec.name] ?? 0 })),
    knobs: options.knobs,
    deliver: httpsDelivery(recorder),
    roots: addresses.roots,
  });
  populate(tenants, contoso);
  clock.arrive();
  const readConfig = () => SyncConfig.parse(JSON.parse(readFileSync(options.configFile, "utf8")));
  const watch = watchWrites(tenants, readConfig());
  // The jobs may be changed while the tenants run: they are read when somebody asks.
  const differences = (): DifferencesAnswer => {
    const verdict = peopleRight(tenants, readConfig(), watch);
    return { ...verdict, differences: verdict.differences.map(describeDifference) };
  };
  const control = await serveControl({ tenants, differences });
  addresses.serve(tenants, recorder);

  liveWithParent(async () => {
    watch.stop();
    tenants.close();
    await Promise.all([control.close(), addresses.close()]);
    recorder?.close();
  });
  const report: GraphReport = {
    tenants: contoso.tenants.map(({ name, id }) => ({ name, id, ...addresses.roots({ name }) })),
    control: control.url,
  };
  reportReady(report);
}

/** The organization is a day old when the doors open: no lag hides it from the first round of delta or from the search index. */
function clockWithPast(): SandboxClock & { arrive(): void } {
  const clock = realClock();
  let agoMs = 24 * 3_600_000;
  const arrive = () => {
    agoMs = 0;
  };
  return { ...clock, now: () => clock.now() - agoMs, arrive };
}

await start(JSON.parse(process.argv[2] ?? "{}")).catch(reportFailure);
