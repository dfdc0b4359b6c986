/** `npm run fuzz`: property tests run so many times more often than in the normal run, with other seeds every time. */
import fc from 'fast-check';
import { vi } from 'vitest';

const times = Number(process.env['MOOSEFS_FUZZ_TIMES'] ?? 1);

if (times > 1) {
  const assert = fc.assert;
  // A number of runs that a test names itself is multiplied too, hence not by configureGlobal.
  vi.spyOn(fc, 'assert').mockImplementation((property, options) =>
    assert(property, { ...options, numRuns: (options?.numRuns ?? 100) * times }),
  );
}
