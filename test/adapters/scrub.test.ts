import { expect, test } from "vitest";
import { decisionLog } from "../../shared/adapters/telemetry/decision-log.ts";

/** What libraries put into their errors does not reach the log. */
function logged(message: string): string {
  const lines: string[] = [];
  const sink = {
    info: (line: string) => lines.push(line),
    warn: (line: string) => lines.push(line),
    error: (line: string) => lines.push(line),
  };
  const error = new Error(message, { cause: new Error(message, { cause: new TypeError(message) }) });
  decisionLog(sink).error("defect", { error, detail: message });
  expect(() => JSON.parse(lines[0] ?? "")).not.toThrow();
  return lines[0] ?? "";
}

test.each([
  ["a token", "401 for Authorization: Bearer abc.def-ghi", "abc.def-ghi"],
  ["a JSON Web Token", "invalid token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2ln", "eyJzdWIiOiJhZGEifQ"],
  ["a client secret", "POST failed: grant_type=x&client_secret=s3cr3t~value&scope=y", "s3cr3t"],
  ["a client assertion", "client_assertion=eyJ0.x.y", "eyJ0.x"],
  ["a storage key", "DefaultEndpointsProtocol=https;AccountKey=Eby8vdM02xNO==;", "Eby8vdM02xNO"],
  ["a bus key", "Endpoint=sb://x/;SharedAccessKey=abcdef=;", "abcdef="],
  ["a signature", "https://x.table.core.windows.net/links?sv=1&sig=aBcDeF%3D&se=2", "aBcDeF"],
  ["a private key", "-----BEGIN PRIVATE KEY-----MIIEvQ-----END PRIVATE KEY-----", "MIIEvQ"],
  ["a webhook address", "refused https://app.example/api/graph-notification/1-2-3/S3CRET", "S3CRET"],
  ["an address", "no mailbox for ada.o'neil+x@contoso.example today", "contoso.example"],
  ["an address in another script", "нет адреса анна@пример.рф", "анна"],
  ["the name of a guest", "ada_contoso.com#EXT#@hub.onmicrosoft.com was refused", "ada_contoso"],
])("%s", (_, message, secret) => {
  const line = logged(message);
  expect(line).not.toContain(secret);
  expect(line).toContain("(removed)");
});

test("a hostile text takes no time", () => {
  const before = process.cpuUsage();
  for (const text of ["a".repeat(100_000), "a@".repeat(50_000), "eyJ".repeat(50_000), "-----BEGIN ".repeat(20_000)])
    logged(text);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1_000).toBeLessThan(5_000);
});
