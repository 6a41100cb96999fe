import type { LetterGroupsFound, LettersRequest, RedriveRequest, Run, SelectedLetters } from '@event-manager/core';
import type { HttpCaller } from './http-caller.ts';

type DryRun = { readonly dryRun?: boolean | undefined };

/** What is done with the dead letters of the service. */
export class RemoteLetters {
  readonly #http: HttpCaller;

  constructor(http: HttpCaller) {
    this.#http = http;
  }

  async groups(subscriptionId?: string): Promise<LetterGroupsFound> {
    const query = subscriptionId === undefined ? {} : { query: new URLSearchParams({ subscriptionId }) };
    const answer = await this.#http.call({ method: 'GET', path: '/dead-letters/groups', isRepeatable: true, ...query });
    const { data: groups, complete } = answer as { data: LetterGroupsFound['groups']; complete: boolean };
    return { groups, complete };
  }

  redrive(request: RedriveRequest & DryRun): Promise<Run & SelectedLetters> {
    return this.#start('redrive', request);
  }

  discard(request: LettersRequest & DryRun): Promise<Run & SelectedLetters> {
    return this.#start('discard', request);
  }

  /** Not repeated: a letter that died again meanwhile would be redriven by the second one. */
  async #start(what: 'redrive' | 'discard', request: DryRun): Promise<Run & SelectedLetters> {
    const path = `/dead-letters/${what}`;
    const isRepeatable = request.dryRun === true;
    const body = JSON.stringify(request);
    return (await this.#http.call({ method: 'POST', path, isRepeatable, body })) as Run & SelectedLetters;
  }
}
