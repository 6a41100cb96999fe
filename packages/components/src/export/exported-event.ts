import type { ComponentEvent } from '../component-events.ts';

/** An event on its way to several exports: its text is made once for each form. */
export class ExportedEvent {
  readonly event: ComponentEvent;
  #line: string | undefined;
  #pretty: string | undefined;

  constructor(event: ComponentEvent) {
    this.event = event;
  }

  /** JSON without a line end. */
  text(isPretty: boolean): string {
    if (isPretty) return (this.#pretty ??= JSON.stringify(this.event, undefined, 2));
    return (this.#line ??= JSON.stringify(this.event));
  }
}
