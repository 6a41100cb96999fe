// #region masking
import type { Middleware } from '@event-manager/core';

export default function masking({ fields }: { fields: string[] }): Middleware {
  return function masking(event, next) {
    const masked = fields.filter((field) => field in event.data).map((field) => [field, '***']);
    return next({ ...event, data: { ...event.data, ...Object.fromEntries(masked) } });
  };
}
// #endregion
