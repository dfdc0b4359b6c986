/** All packets to and from a server are lost for twenty seconds. */
import { faults } from '../support/faults/faults.ts';
import { matrixTests } from '../support/faults/matrix-tests.ts';

matrixTests(faults.blackHole, {
  targets: ['first', 'middle', 'last', 'only', 'master'],
  during: ['write', 'read', 'close', 'metadata'],
});
