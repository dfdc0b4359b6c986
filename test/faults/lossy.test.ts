/** Every twentieth packet to and from a server is lost, and the link to every server takes 200 ms there and back. */
import { faults } from '../support/faults/faults.ts';
import { matrixTests } from '../support/faults/matrix-tests.ts';

matrixTests(faults.lossy, {
  targets: ['first', 'middle', 'last', 'only', 'master'],
  during: ['write', 'read', 'close', 'metadata'],
  barMs: 30_000,
});
