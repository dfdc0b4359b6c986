/** The disk of a chunkserver is full. */
import { faults } from '../support/faults/faults.ts';
import { matrixTests } from '../support/faults/matrix-tests.ts';

matrixTests(faults.diskFull, {
  targets: ['first', 'middle', 'last', 'only'],
  during: ['write', 'read', 'close'],
  // Blocks of a session that did not end have stale checksums on the disk. They are written again, unless the server's own test
  // of chunks finds them first: it reports the only copy as damaged, and the master takes nothing for it any more.
  mayLose: (target, during) => target === 'only' && (during === 'write' || during === 'close'),
});
