/** The files of docs/benchmarks, formatted as the rest of the repository is. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as prettier from 'prettier';

const folder = fileURLToPath(new URL('../docs/benchmarks/', import.meta.url));
const style = { printWidth: 120, singleQuote: true } as const;

/** The text of a file there. */
export function readText(name: string): Promise<string> {
  return readFile(join(folder, name), 'utf8');
}

/** A JSON file there, or undefined where there is none. */
export async function readSaved<T>(name: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readText(name)) as T;
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Writes text there as it is. */
export async function writeText(name: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), text);
}

/** Writes Markdown there. */
export async function writeMarkdown(name: string, text: string): Promise<void> {
  await writeText(name, await prettier.format(text, { ...style, parser: 'markdown' }));
}

/** Writes JSON there. */
export async function writeSaved(name: string, value: unknown): Promise<void> {
  await writeText(name, await prettier.format(JSON.stringify(value), { ...style, parser: 'json' }));
}
