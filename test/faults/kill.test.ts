/** A server is killed by SIGKILL, and started again after three seconds. */
import { faults } from '../support/faults/faults.ts';
import { matrixTests } from '../support/faults/matrix-tests.ts';

matrixTests(faults.kill, {
  targets: ['first', 'middle', 'last', 'only', 'master'],
  during: ['write', 'read', 'close', 'metadata'],
  // Killed in the middle of a write, the only copy may be one that the master does not take back: no client can mend that.
  mayLose: (target, during) => target === 'only' && (during === 'write' || during === 'close'),
});
