/** Connections to a server are reset for half a second. */
import { faults } from '../support/faults/faults.ts';
import { matrixTests } from '../support/faults/matrix-tests.ts';

matrixTests(faults.disconnect, {
  targets: ['first', 'middle', 'last', 'only', 'master'],
  during: ['write', 'read', 'close', 'metadata'],
});
