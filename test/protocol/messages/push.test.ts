/** What a master sends unasked. */
import { expect, it } from 'vitest';
import * as m from '../../../src/protocol/messages/push.ts';
import { declaredPackets } from '../../support/declared-messages.ts';
import { describeMessages, packetCase } from '../../support/message-cases.ts';

const ALL = '3.0.115 3.0.117 4.25.0 4.57.5 4.59.2';
const changed = { zero: 0, inode: 0x0c, chunkIndex: 0, chunkId: 2n, version: 1, length: 1000, truncated: 0 };

describeMessages('push', [
  packetCase(m.forceTimeout, ALL, '00000005 00000006 00000000 003c', { zero: 0, seconds: 60 }),
  packetCase(
    m.chunkHasChanged,
    '3.0.115 3.0.117 4.25.0 4.39.0',
    '000002be 00000021 00000000 0000000c 00000000 0000000000000002 00000001 00000000000003e8 00',
    changed,
    { note: 'without region' },
  ),
  packetCase(
    m.chunkHasChanged,
    '4.40.0 4.57.5 4.59.2',
    '000002be 00000029 00000000 00000008 00000003 0000000000000002 00000001 00000000000003e8 01 00000005 000003e8',
    { ...changed, inode: 8, chunkIndex: 3, truncated: 1, offset: 5, size: 1000 },
    { note: 'with region' },
  ),
  packetCase(m.lengthHasChanged, ALL, '000002bf 00000010 00000000 0000000c 0000000012c00000', {
    zero: 0,
    inode: 12,
    length: 0x12c00000,
  }),
  packetCase(m.invalidateChunkCache, ALL, '000002c2 00000004 00000000', { zero: 0 }),
]);

it('every declared push is in the list of those that are told apart by type', () => {
  const declared = declaredPackets.filter(({ file }) => file === 'push').map(({ message }) => message);
  expect(new Set<unknown>(m.pushes)).toEqual(new Set(declared));
  expect(new Set(m.pushes.map((each) => each.type)).size).toBe(m.pushes.length);
});
