/** Bytes on a disk are not those that were written. What lay on one disk only is lost by that disk: then reading must fail. */
import { faults } from '../support/faults/faults.ts';
import { matrixTests } from '../support/faults/matrix-tests.ts';

matrixTests(faults.wrongBytes, {
  targets: ['first', 'middle', 'last'],
  during: ['write', 'read', 'close'],
});
matrixTests(faults.wrongBytes, {
  targets: ['only'],
  during: ['read'],
  // EIO while the master still lists the copy, ENXIO once its chunkserver has told it.
  mustFail: () => /^failed: (EIO: .*chunk 0 .*|ENXIO: .*), read/,
  // Tried over and over until ioTimeoutMs is over: the replica might be mended.
  barMs: 75_000,
});
