/** `npm run fuzz`: property tests run so many times more often than in the normal run, with other seeds every time. */
import type * as fastCheck from 'fast-check';
import { vi } from 'vitest';

const times = Number(process.env['MOOSEFS_FUZZ_TIMES'] ?? 1);

if (times > 1) {
  vi.doMock('fast-check', async (importOriginal) => {
    const original = await importOriginal<typeof fastCheck>();
    // A number of runs that a test names itself is multiplied too, hence not by configureGlobal.
    const assert = ((property: fastCheck.IProperty<unknown>, options?: fastCheck.Parameters<unknown>) =>
      original.assert(property, { ...options, numRuns: (options?.numRuns ?? 100) * times })) as typeof original.assert;
    const replaced = { ...original, assert };
    return { ...replaced, default: replaced };
  });
}
