import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { Chance, Clock } from "../../ports/clock.ts";

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const abort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", abort);
        resolve();
      }, ms);
      signal?.addEventListener("abort", abort, { once: true });
    }),
};

export const systemChance: Chance = {
  uuid: () => randomUUID(),
  between: (min, max) => min + Math.random() * (max - min),
  secret: (bytes) => randomBytes(bytes).toString("base64url"),
};

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("base64url");
