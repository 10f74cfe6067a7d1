/** Every accident that has to have a test, by its name, and the test that plays it: file below `test/`, and its title. */
export const NAMED: Readonly<Record<string, readonly [file: string, title: string]>> = {
  "empty source": ["scenario/limits.test.ts", "all groups of the source seem empty"],
  "half a page": ["scenario/limits.test.ts", "pages that end in the middle"],
  "503 mid-listing": ["scenario/limits.test.ts", "503 in the middle of listings"],
  "filter typo empties scope": [
    "scenario/limits.test.ts",
    "causes in the configuration remove nobody before they are counted",
  ],
  "wrong, deleted or hidden scope group": [
    "scenario/limits.test.ts",
    "a scope group %s takes the place of the right one",
  ],
  "first run against a populated target": [
    "scenario/limits.test.ts",
    "a first run against a target that is full of other people's guests",
  ],
  "two deployments, one target": ["scenario/named/small.test.ts", "two deployments, one target"],
  "stale delete notification for a restored user": [
    "scenario/named/small.test.ts",
    "stale delete notification for a restored user",
  ],
  "notification during sweep": ["scenario/named/small.test.ts", "notification during sweep"],
  "sweep older than a webhook delete": ["scenario/named/small.test.ts", "sweep older than a webhook delete"],
  "duplicates while one executes": ["scenario/named/small.test.ts", "duplicates while one executes"],
  "nested group deleted": ["scenario/limits.test.ts", "a group within the scope group is deleted: nobody goes at once"],
  "cycle in nesting": ["scenario/named/small.test.ts", "cycle in nesting"],
  "404 for 60 s after invite": ["scenario/named/small.test.ts", "404 for 60 s after invite"],
  "crash between invite and record": ["scenario/crash.test.ts", 'name: "create"'],
  "two source users, one mail": ["scenario/bad-input.test.ts", "two people with one mail"],
  "two jobs, two sources, one guest": ["scenario/named/small.test.ts", "two jobs, two sources, one guest"],
  "re-hire with a reused address under a new object id": [
    "scenario/main-job.test.ts",
    "nobody inherits the guest of somebody who had the address before",
  ],
  "pending guest renamed": ["scenario/named/small.test.ts", "pending guest renamed"],
  "soft-deleted then re-hired": ["scenario/named/small.test.ts", "soft-deleted then re-hired"],
  "target admin blocks or deletes by hand": ["scenario/drift.test.ts", "changed by hand in the target"],
  "consent revoked": ["scenario/named/small.test.ts", "consent revoked"],
  "delta expired": ["scenario/named/small.test.ts", "delta expired"],
  "throttled for ten minutes": ["scenario/named/small.test.ts", "throttled for ten minutes"],
  "target down for ten minutes, right within two minutes of its return": [
    "scenario/ten-minutes.test.ts",
    "is away for ten minutes",
  ],
  "one process-killing user among 10,000": ["scenario/killer.test.ts", "one among ten thousand"],
  "surge of 10,000 creates": ["scenario/limits.test.ts", "is held past the limits"],
  "`#EXT#`, `/`, `#` in names": ["scenario/named/small.test.ts", "`#EXT#`, `/`, `#` in names"],
  "a tenant id in a message that is not ours": [
    "scenario/named/small.test.ts",
    "a tenant id in a message that is not ours",
  ],
  "configuration rolled out while people change": [
    "scenario/rules-change.test.ts",
    "the target follows the rules that hold in the end",
  ],
};
