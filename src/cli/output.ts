/** Standard output: lines, JSON and bytes, with back-pressure; and what happens when its reader goes away. */
import type { Writable } from 'node:stream';

/** Nobody reads standard output any more (`mfs cat x | head`): no failure, and nothing to be said. */
export class OutputClosed extends Error {}

/** See above. */
export class Output {
  readonly #stream: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly #json: boolean;
  #failure: NodeJS.ErrnoException | undefined;

  /** `onClosed` is called once when nobody reads any more. */
  constructor(
    stream: Writable & { readonly isTTY?: boolean; readonly columns?: number },
    { json, onClosed }: { json: boolean; onClosed: () => void },
  ) {
    this.#stream = stream;
    this.#json = json;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.#failure ??= error;
      if (error.code === 'EPIPE') onClosed();
    });
  }

  /** Whether `--json` was given: then only {@link json} prints. */
  get isJson(): boolean {
    return this.#json;
  }

  get isTTY(): boolean {
    return this.#stream.isTTY === true;
  }

  /** Columns of the terminal. */
  get width(): number {
    // A terminal that does not tell says 0.
    return this.#stream.columns || 80;
  }

  /** Prints lines of text. */
  async lines(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) await this.#write(`${lines.join('\n')}\n`);
  }

  /** Prints one line of text. */
  async line(text: string): Promise<void> {
    await this.lines([text]);
  }

  /** Prints an object as one line of JSON. 64-bit numbers become text. */
  async json(value: object): Promise<void> {
    await this.line(JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? each.toString() : each)));
  }

  /** Passes bytes on, no faster than they are read. */
  async bytes(pieces: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const piece of pieces) await this.#write(piece);
  }

  async #write(data: string | Uint8Array): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      if (this.#failure !== undefined) reject(this.#failed(this.#failure));
      else {
        // The callback comes when the data is with the system: at most one piece is on its way.
        this.#stream.write(data, (error) =>
          error === undefined || error === null ? resolve() : reject(this.#failed(error)),
        );
      }
    });
  }

  #failed(error: NodeJS.ErrnoException): Error {
    if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') return new OutputClosed('nobody reads');
    return error;
  }
}
