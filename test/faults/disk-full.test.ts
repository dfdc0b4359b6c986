/** The disk of a chunkserver is full. */
import { faults } from '../support/faults/faults.ts';
import { matrixTests } from '../support/faults/matrix-tests.ts';

matrixTests(faults.diskFull, {
  targets: ['first', 'middle', 'last', 'only'],
  during: ['write', 'read', 'close'],
  // Killed in the middle of a write, the only copy may be one that the master does not take back: no client can mend that.
  mayLose: (target, during) => target === 'only' && (during === 'write' || during === 'close'),
});
