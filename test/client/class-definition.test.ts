/** Definitions of storage classes, as users and as masters of each version have them. */
import { describe, expect, it } from 'vitest';
import { emptyWireDefinition, fromWireDefinition, toWireDefinition } from '../../src/client/class-definition.ts';
import { storageClassDefinition } from '../../src/protocol/messages/placement.ts';
import { version } from '../../src/protocol/version.ts';

const VERSIONS = ['3.0.115', '3.0.117', '4.22.0', '4.35.0', '4.57.5', '4.59.2'] as const;
const invalid = expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }) as Error;

describe.each(VERSIONS)('on %s', (text) => {
  const at = version(text);
  const there = (given: Parameters<typeof toWireDefinition>[0]) => {
    const bytes = storageClassDefinition.encode(toWireDefinition(given, at), at);
    return fromWireDefinition('x', storageClassDefinition.decode(bytes, at, 'a class'), at);
  };

  it('what every server knows goes there and back', () => {
    const found = there({ adminOnly: true, labelsMode: 'loose', keep: ['A', 'B'], archive: 1, archiveDelayHours: 25 });
    expect(found).toMatchObject({ name: 'x', adminOnly: true, labelsMode: 'loose' });
    expect(found.keep.copies).toEqual(['A', 'B']);
    expect(found.archive.copies).toEqual(['*']);
    // 3.x has no way to say "as keep", and counts whole days.
    expect(found.create.copies).toEqual(text.startsWith('3.') ? ['A', 'B'] : []);
    expect(found.archiveDelayHours).toBe(text.startsWith('3.') ? 48 : 25);
    expect(found.trash === undefined).toBe(text.startsWith('3.'));
  });

  it('an empty one has no labels at all', () => {
    expect(emptyWireDefinition(at).labels).toMatchObject({ create: [], keep: [], archive: [] });
  });

  it('what it does not know is refused', () => {
    const refused = (given: Parameters<typeof toWireDefinition>[0]) => {
      try {
        toWireDefinition(given, at);
        return false;
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENOTSUP' });
        return true;
      }
    };
    expect(refused({ description: 'x' })).toBe(at < version('4.57.0'));
    expect(refused({ archiveMinSize: 1 })).toBe(at < version('4.34.2'));
    expect(refused({ keep: { copies: ['A'], labelsMode: 'strict' } })).toBe(at < version('4.53.0'));
    expect(refused({ archive: { erasureCoding: '8+1' } })).toBe(at < version('4.0.0'));
  });
});

it('parts, distinct servers and rules on 4.59.2', () => {
  const wire = toWireDefinition(
    {
      keep: { copies: ['A', 'A'], distinct: ['B', 'ip', 'rack'] },
      archive: { erasureCoding: 'EC8+1' },
      trash: { erasureCoding: '4+1', copies: ['A', 'B'] },
      archiveRules: ['ctime', 'perChunk'],
    },
    version('4.59.2'),
  );
  expect(wire).toMatchObject({ archiveEc: 0x81, trashEc: 0x41, keepUnique: 0x0c00_0002, archiveMode: 0x21 });
  // Parts on any servers.
  expect(wire.labels!.archive).toHaveLength(1);
  expect(wire.labels!.trash).toHaveLength(2);
});

it('nonsense is refused', () => {
  const at = version('4.59.2');
  for (const given of [
    { keep: Array.from({ length: 10 }, () => '*') },
    { keep: { copies: ['*'], erasureCoding: '4+1' } },
    { archive: { erasureCoding: '5+1' } },
    { keep: { copies: ['*'], distinct: ['AB'] } },
    { labelsMode: 'never' as 'loose' },
    { archiveRules: ['never' as 'ctime'] },
  ])
    expect(() => toWireDefinition(given, at)).toThrow(invalid);
  expect(() => toWireDefinition({ keep: 10 }, at)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
});
