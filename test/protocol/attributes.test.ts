import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ATTRIBUTES_SIZE, NodeType, attributes } from '../../src/protocol/attributes.ts';
import { record } from '../../src/protocol/layout.ts';
import { DEVICE, FILE, FOLDER, NOTHING, SYMLINK } from '../support/attribute-bytes.ts';
import { hex } from '../support/message-cases.ts';

const codec = record(attributes('it'));

describe('an attribute record', () => {
  it.each([FILE, FOLDER, SYMLINK, DEVICE, NOTHING])('$bytes', ({ bytes, value }) => {
    expect(hex(bytes)).toHaveLength(ATTRIBUTES_SIZE);
    expect(codec.decode(hex(bytes), 0, 'attributes').it).toEqual(value);
    expect(codec.encode({ it: value }, 0).equals(hex(bytes))).toBe(true);
  });
  it('has a device number in place of the length only for devices', () => {
    const at = (type: number) => codec.decode(hex(`00 ${type}180 ${'00'.repeat(24)} 00000002 00000003 00`), 0, 'it').it;
    expect(at(NodeType.blockDevice)).toMatchObject({ length: 0, rdev: 2 });
    expect(at(NodeType.fifo)).toMatchObject({ length: 2 * 2 ** 32 + 3, rdev: 0 });
  });
  it('refuses a length that no number counts', () => {
    expect(() => codec.decode(hex(`00 1180 ${'00'.repeat(24)} 00200000 00000000 00`), 0, 'it')).toThrow('beyond 2^53');
  });
  it('goes there and back', () => {
    const u32 = fc.nat(0xffff_ffff);
    const value = fc.record({
      ...{
        flags: fc.nat(255),
        type: fc.constantFrom(...Object.values(NodeType)),
        mode: fc.nat(0o7777),
        uid: u32,
        gid: u32,
      },
      ...{ atime: u32, mtime: u32, ctime: u32, nlink: u32, length: fc.maxSafeNat(), rdev: u32, winattr: fc.nat(255) },
    });
    fc.assert(
      fc.property(value, (it) => {
        const device = it.type === NodeType.blockDevice || it.type === NodeType.characterDevice;
        const expected = device ? { ...it, length: 0 } : { ...it, rdev: 0 };
        expect(codec.decode(codec.encode({ it }, 0), 0, 'it').it).toEqual(expected);
      }),
    );
  });
});
