/** Frames captured from real servers by scripts/capture-fixtures.ts: one file a version in test/fixtures. */
import { readFileSync, readdirSync } from 'node:fs';
import type { VersionText } from '../../src/protocol/version.ts';

/** One frame as it lay on the wire. */
export interface CapturedFrame {
  /** The name of the declared message. */
  readonly message: string;
  /** What of the message it is: `body` for packets without msgid, `status` for five bytes of msgid and status. */
  readonly part: 'body' | 'request' | 'reply' | 'status';
  /** Who was talked to. */
  readonly server: 'master' | 'chunkserver';
  /** The frame, header included. */
  readonly hex: string;
}

/** All frames captured from one version. */
export interface Fixture {
  /** What the master said of itself; the clients of the capture announced the same. */
  readonly version: VersionText;
  readonly frames: readonly CapturedFrame[];
}

const folder = new URL('../fixtures/', import.meta.url);

/** Every fixture, by version. */
export const fixtures: readonly Fixture[] = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .sort()
  .map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Fixture);

/** The text of a fixture's file: a frame a line, so that differences can be read. */
export function fixtureText({ version, frames }: Fixture): string {
  const lines = frames.map((each) => `    ${JSON.stringify(each)}`);
  return `{\n  "version": "${version}",\n  "frames": [\n${lines.join(',\n')}\n  ]\n}\n`;
}
