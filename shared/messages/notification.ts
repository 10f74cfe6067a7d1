import * as z from "zod";

/** One change or lifecycle notification, as far as we use it. Source: Graph `change-notifications-delivery-webhooks.md`. */
export const Notification = z.object({
  subscriptionId: z.string().max(100),
  clientState: z.string().max(255),
  tenantId: z.string().max(100),
  changeType: z.string().max(50).optional(),
  lifecycleEvent: z.string().max(50).optional(),
  resourceData: z
    .object({
      id: z.guid(),
      /** Seen, not promised: members that came or went. */
      "members@delta": z
        .array(z.object({ id: z.guid() }))
        .max(1_000)
        .optional()
        .catch(undefined),
    })
    .optional(),
});
export type Notification = z.infer<typeof Notification>;

/** The body of a POST; items are looked at one by one, so that a bad one does not cost the others. */
export const NotificationBody = z.object({ value: z.array(z.unknown()) });
