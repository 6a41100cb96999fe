import { afterEach, describe } from 'vitest';
import { type ConformanceHarness, type StartSubject, SUBJECT_MODES, Subject } from './subject.ts';

/** Runs the same tests in every mode and disposes of what they opened, whatever became of them. */
export function runModes(title: string, harness: ConformanceHarness, tests: (start: StartSubject) => void): void {
  describe.each(SUBJECT_MODES)(`${title} on ${harness.name}, %s`, (mode) => {
    const started: Subject[] = [];

    afterEach(async () => {
      for (const subject of started.splice(0)) await subject.opened.dispose();
    });

    tests(async () => {
      const subject = new Subject(await harness.open(), mode);
      started.push(subject);
      return subject;
    });
  });
}
