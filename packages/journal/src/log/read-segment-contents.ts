import type { Folder } from '../files/folder.ts';
import { runSliced } from '../index/run-sliced.ts';
import { type Expected, readContents, type SegmentContents } from './recover-tail.ts';

/** Reads every record of a segment file. */
export async function readSegmentContents(
  folder: Folder,
  file: string,
  expected: Expected,
): Promise<{ bytes: Buffer; contents: SegmentContents }> {
  const bytes = (await folder.readFile(file)) ?? Buffer.alloc(0);
  let contents: SegmentContents | undefined;
  const reading = readContents(file, bytes, expected);
  await runSliced(
    {
      next: () => {
        for (let record = 0; record < 256; record++) {
          const step = reading.next();
          if (step.done !== true) continue;
          contents = step.value;
          return { done: true, value: undefined };
        }
        return { done: false, value: undefined };
      },
    },
    folder.runtime,
  );
  return { bytes, contents: contents! };
}
