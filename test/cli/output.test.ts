import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { Output, OutputClosed } from '../../src/cli/output.ts';

function closing(after: number, code = 'EPIPE') {
  const written: string[] = [];
  const stream = new Writable({
    write(piece: Buffer, _encoding, callback) {
      if (written.length >= after) callback(Object.assign(new Error(code), { code }));
      else {
        written.push(piece.toString());
        callback();
      }
    },
  });
  return { stream, written };
}

it('prints lines, and JSON with 64-bit numbers as text', async () => {
  const { stream, written } = closing(Infinity);
  const output = new Output(stream, { json: true, onClosed: () => undefined });
  await output.lines(['a', 'b']);
  await output.lines([]);
  await output.json({ id: 2n ** 60n, at: new Date(0), none: undefined });
  expect(written).toEqual(['a\nb\n', '{"id":"1152921504606846976","at":"1970-01-01T00:00:00.000Z"}\n']);
});

it('says once that nobody reads, and rejects from then on', async () => {
  let closed = 0;
  const output = new Output(closing(1).stream, { json: false, onClosed: () => closed++ });
  await output.line('read');
  await expect(output.line('not read')).rejects.toBeInstanceOf(OutputClosed);
  await expect(output.line('nor this')).rejects.toBeInstanceOf(OutputClosed);
  expect(closed).toBe(1);
});

it('a disk that is full is a failure, not a reader that went away', async () => {
  const output = new Output(closing(0, 'ENOSPC').stream, { json: false, onClosed: () => expect.unreachable() });
  await expect(output.line('x')).rejects.toMatchObject({ code: 'ENOSPC' });
  await expect(output.line('y')).rejects.toMatchObject({ code: 'ENOSPC' });
});

it('takes bytes no faster than they are read', async () => {
  let release: (() => void) | undefined;
  const stream = new Writable({ write: (_piece, _encoding, callback) => (release = callback) });
  const output = new Output(stream, { json: false, onClosed: () => undefined });
  let given = 0;
  const done = output.bytes(
    (async function* () {
      for (; given < 3; given++) yield Buffer.alloc(1 << 20);
    })(),
  );
  await new Promise(setImmediate);
  expect(given).toBe(0);
  for (let i = 0; i < 3; i++) {
    release!();
    await new Promise(setImmediate);
  }
  await done;
  expect(given).toBe(3);
});
