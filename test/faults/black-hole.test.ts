/** All packets to and from a server are lost for twenty seconds; or those of a chunkserver's data port alone. */
import { faults } from '../support/faults/faults.ts';
import { matrixTests } from '../support/faults/matrix-tests.ts';

matrixTests(faults.blackHole, {
  targets: ['first', 'middle', 'last', 'only', 'master'],
  during: ['write', 'read', 'close', 'metadata'],
  waitsForDrop: true,
});
// Nobody tells the master, so a write waits until the port is back; a read goes on elsewhere.
matrixTests(faults.dataPort, { targets: ['first', 'last'], during: ['write', 'close'], waitsForMending: true });
matrixTests(faults.dataPort, { targets: ['first', 'middle', 'last'], during: ['read'] });
