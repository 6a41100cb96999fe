import type { FilterPreview, Principal } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** What a pattern and a filter match of what is stored. Throws what `History.preview` throws. */
export function previewFilter(
  { engine }: OperationContext,
  principal: Principal,
  request: unknown,
): Promise<FilterPreview> {
  return engine.history.preview(principal, request);
}
