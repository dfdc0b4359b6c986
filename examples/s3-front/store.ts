/**
 * A store for s3rver: buckets are folders, objects are plain files in them, which everybody else on MooseFS sees under their keys.
 *
 *     <root>/<bucket>/<key>                  an object; its attribute user.s3 has its ETag and the headers it was sent with
 *     <root>/.uploads/<id>/upload.json       a multipart upload that is not complete
 *     <root>/.uploads/<id>/<number>          one of its parts; user.s3 has its ETag
 *     <root>/.uploads/<id>.part              an object that is being written
 *
 * What S3 allows and a file system does not is refused: keys with empty parts or dots for parts, and `a` beside `a/b`.
 */
import { createHash, randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import S3Bucket from 's3rver/lib/models/bucket.js';
import S3Error from 's3rver/lib/models/error.js';
import S3Object from 's3rver/lib/models/object.js';
import type { Headers } from 's3rver/lib/models/object.js';
import type { MooseFS, Stats } from '../../src/index.ts';

interface Kept {
  readonly etag: string;
  readonly headers: Readonly<Record<string, string>>;
}
interface Stored {
  readonly md5: string;
  readonly size: number;
}
interface ListOptions {
  readonly delimiter?: string;
  readonly startAfter?: string;
  readonly prefix?: string;
  readonly maxKeys?: number;
}

const ATTRIBUTE = 'user.s3';
const UPLOAD_ID = /^[0-9a-f]{32}$/;
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** A name of a file has 255 bytes at most. */
const PART_LIMIT = 255;
const CHUNK_BYTES = 64 * 1024 * 1024;

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
const isGone = (error: unknown): boolean => codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';

/** Undefined for what is not there. */
async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function isPlain(key: string): boolean {
  return key
    .split('/')
    .every(
      (part) =>
        part !== '' && part !== '.' && part !== '..' && !part.includes('\0') && Buffer.byteLength(part) <= PART_LIMIT,
    );
}

/** What s3rver calls a store. */
export class MooseFSBuckets {
  readonly #mfs: MooseFS;
  readonly #root: string;

  constructor(mfs: MooseFS, root: string) {
    this.#mfs = mfs;
    this.#root = root.replace(/\/+$/, '');
  }

  get #uploads(): string {
    return `${this.#root}/.uploads`;
  }

  #upload(id: string): string {
    if (!UPLOAD_ID.test(id))
      throw new S3Error('NoSuchUpload', 'The specified upload does not exist.', { UploadId: id });
    return `${this.#uploads}/${id}`;
  }

  /** Undefined for a key that no file can have: nothing is stored under it. */
  #find(bucket: string, key: string): string | undefined {
    return BUCKET.test(bucket) && isPlain(key) ? `${this.#root}/${bucket}/${key}` : undefined;
  }

  #place(bucket: string, key: string): string {
    const path = this.#find(bucket, key);
    if (path !== undefined) return path;
    throw new S3Error('InvalidArgument', 'This key cannot be the path of a file.', { ArgumentName: 'key' });
  }

  async listBuckets(): Promise<S3Bucket[]> {
    const names = await this.#mfs.readdir(this.#root);
    const found = await Promise.all(names.map((name) => this.getBucket(name)));
    return found.filter((bucket) => bucket !== null);
  }

  async getBucket(bucket: string): Promise<S3Bucket | null> {
    const stats = BUCKET.test(bucket) ? await ifThere(this.#mfs.stat(`${this.#root}/${bucket}`)) : undefined;
    return stats?.isDirectory() ? new S3Bucket(bucket, stats.birthtime) : null;
  }

  async putBucket(bucket: string): Promise<S3Bucket | null> {
    if (!BUCKET.test(bucket)) throw new S3Error('InvalidBucketName', 'The specified bucket is not valid.');
    await this.#mfs.mkdir(`${this.#root}/${bucket}`, { recursive: true });
    return this.getBucket(bucket);
  }

  async deleteBucket(bucket: string): Promise<void> {
    await this.#mfs.rm(`${this.#root}/${bucket}`, { recursive: true, force: true });
  }

  async listObjects(bucket: string, { delimiter = '', startAfter = '', prefix = '', maxKeys = Infinity }: ListOptions) {
    const keys: string[] = [];
    const commonPrefixes = new Set<string>();
    let isTruncated = false;
    for await (const key of this.#keys(`${this.#root}/${bucket}`, '', prefix)) {
      if (key <= startAfter || !key.startsWith(prefix)) continue;
      const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
      if (end >= 0) {
        commonPrefixes.add(key.slice(0, end + delimiter.length));
        continue;
      }
      isTruncated = keys.length >= maxKeys;
      if (isTruncated) break;
      keys.push(key);
    }
    const objects: S3Object[] = [];
    for (const key of keys) {
      const headers = await ifThere(this.#headers(this.#place(bucket, key)));
      if (headers) objects.push(new S3Object(bucket, key, null, headers));
    }
    return { objects, commonPrefixes: [...commonPrefixes].sort(), isTruncated };
  }

  /** In the order of S3: as if each folder's name ended with its slash. */
  async *#keys(folder: string, above: string, prefix: string): AsyncGenerator<string> {
    const entries = (await ifThere(this.#mfs.readdir(folder, { withFileTypes: true }))) ?? [];
    const names = entries
      .filter((entry) => entry.isFile() || entry.isDirectory())
      .map((entry) => above + entry.name + (entry.isDirectory() ? '/' : ''));
    for (const key of names.sort()) {
      if (!key.endsWith('/')) yield key;
      else if (key.startsWith(prefix) || prefix.startsWith(key))
        yield* this.#keys(`${folder}/${posix.basename(key)}`, key, prefix);
    }
  }

  async existsObject(bucket: string, key: string): Promise<boolean> {
    return (await this.getObject(bucket, key, { start: Infinity })) !== null;
  }

  async getObject(
    bucket: string,
    key: string,
    options: { start?: number; end?: number } = {},
  ): Promise<S3Object | null> {
    const path = this.#find(bucket, key);
    const headers = path === undefined ? undefined : await ifThere(this.#headers(path));
    if (path === undefined || headers === undefined) return null;
    const last = Math.max(0, headers['content-length'] - 1);
    const range = { start: options.start ?? 0, end: Math.min(options.end ?? Infinity, last) };
    const isWhole = options.start === undefined && options.end === undefined;
    const isThere = range.start >= 0 && range.start <= range.end;
    const content = isThere ? this.#mfs.createReadStream(path, range) : null;
    const object = new S3Object(bucket, key, content, headers);
    if (!isWhole) object.range = range;
    return object;
  }

  async putObject({ bucket, key, content, metadata }: S3Object): Promise<Stored> {
    const place = this.#place(bucket, key);
    const stored = await this.#write(content ?? Buffer.alloc(0), (part, sums) =>
      this.#publish(part, place, { etag: sums.md5, headers: kept(metadata) }),
    );
    return stored;
  }

  async copyObject(fromBucket: string, fromKey: string, bucket: string, key: string, headers: Headers | null) {
    const [from, to] = [this.#place(fromBucket, fromKey), this.#place(bucket, key)];
    const { etag, headers: old } = await this.#kept(from);
    const part = this.#newPart();
    await this.#mfs.mkdir(this.#uploads, { recursive: true });
    await this.#mfs.copyFile(from, part);
    await this.#publish(part, to, { etag, headers: headers === null ? old : kept(headers) });
    return this.#headers(to);
  }

  async deleteObject(bucket: string, key: string): Promise<void> {
    const path = this.#find(bucket, key);
    if (path === undefined) return;
    await ifThere(this.#mfs.unlink(path));
    // A folder is there as long as a key needs it.
    for (let folder = posix.dirname(path); folder !== `${this.#root}/${bucket}`; folder = posix.dirname(folder)) {
      const isEmpty = await this.#mfs.rmdir(folder).then(
        () => true,
        () => false,
      );
      if (!isEmpty) break;
    }
  }

  async initiateUpload(bucket: string, key: string, id: string, headers: Headers): Promise<void> {
    this.#place(bucket, key);
    const folder = this.#upload(id);
    await this.#mfs.mkdir(folder, { recursive: true });
    await this.#mfs.writeFile(`${folder}/upload.json`, JSON.stringify({ bucket, key, headers: kept(headers) }));
  }

  async putPart(_bucket: string, id: string, number: string, content: Readable): Promise<Stored> {
    const folder = this.#upload(id);
    if (!/^[1-9]\d{0,4}$/.test(number)) throw new S3Error('InvalidArgument', 'Part numbers are 1 to 10000.');
    await this.#declared(folder, id);
    return this.#write(content, (part, { md5 }) =>
      this.#publish(part, `${folder}/${number}`, { etag: md5, headers: {} }),
    );
  }

  async putObjectMultipart(
    _bucket: string,
    id: string,
    parts: readonly { readonly number: number; readonly etag: string }[],
  ): Promise<Stored> {
    const folder = this.#upload(id);
    const { bucket, key, headers } = await this.#declared(folder, id);
    const paths: string[] = [];
    const sum = createHash('md5');
    for (const { number, etag } of [...parts].sort((a, b) => a.number - b.number)) {
      const path = `${folder}/${number}`;
      const found = await ifThere(this.#kept(path));
      if (found?.etag !== etag) throw new S3Error('InvalidPart', `Part ${number} is not what was uploaded.`);
      sum.update(Buffer.from(etag, 'hex'));
      paths.push(path);
    }
    const size = await join(this.#mfs, paths);
    const md5 = `${sum.digest('hex')}-${parts.length}`;
    await this.#publish(paths[0]!, this.#place(bucket, key), { etag: md5, headers });
    await this.#mfs.rm(folder, { recursive: true, force: true });
    return { md5, size };
  }

  /** Neither CORS nor web sites nor tags: this is an example. */
  async getSubresource(): Promise<null> {
    return null;
  }

  async putSubresource(): Promise<never> {
    throw new S3Error('NotImplemented', 'Not part of this example.');
  }

  async deleteSubresource(): Promise<void> {
    // There is none.
  }

  #newPart(): string {
    return `${this.#uploads}/${randomUUID()}.part`;
  }

  /** Writes to a file of its own first: what breaks off leaves the object that was there before, and nothing else. */
  async #write(content: Readable | Buffer, done: (part: string, stored: Stored) => Promise<void>): Promise<Stored> {
    const part = this.#newPart();
    const md5 = createHash('md5');
    let size = 0;
    const sums = new Transform({
      transform: (chunk: Buffer, _encoding, callback) => {
        md5.update(chunk);
        size += chunk.length;
        callback(null, chunk);
      },
    });
    await this.#mfs.mkdir(this.#uploads, { recursive: true });
    const out = this.#mfs.createWriteStream(part, { flags: 'wx' });
    try {
      await pipeline(Buffer.isBuffer(content) ? Readable.from([content]) : content, sums, out);
      const stored = { md5: md5.digest('hex'), size };
      await done(part, stored);
      return stored;
    } catch (error) {
      // A pipeline that fails does not wait for that, and the file would appear after it was removed.
      if (!out.closed) await new Promise((resolve) => out.destroy().once('close', resolve));
      await this.#mfs.rm(part, { force: true });
      throw error;
    }
  }

  /** Gives a complete file its name. */
  async #publish(part: string, place: string, keep: Kept): Promise<void> {
    await this.#mfs.xattr.set(part, ATTRIBUTE, JSON.stringify(keep));
    try {
      await this.#mfs.mkdir(posix.dirname(place), { recursive: true });
      await this.#mfs.rename(part, place);
    } catch (error) {
      if (!['EEXIST', 'ENOTDIR', 'EISDIR', 'ENOTEMPTY'].includes(String(codeOf(error)))) throw error;
      throw new S3Error('InvalidArgument', 'A file and a folder cannot have the same name.', { ArgumentName: 'key' });
    }
  }

  async #declared(folder: string, id: string): Promise<{ bucket: string; key: string; headers: Kept['headers'] }> {
    const text = await ifThere(this.#mfs.readFile(`${folder}/upload.json`, 'utf8'));
    if (text === undefined) throw new S3Error('NoSuchUpload', 'The specified upload does not exist.', { UploadId: id });
    return JSON.parse(text) as { bucket: string; key: string; headers: Kept['headers'] };
  }

  /** Of a file that did not come through S3 nothing is kept: its ETag changes with its time and length. */
  async #kept(path: string, stats?: Stats): Promise<Kept> {
    try {
      return JSON.parse(await this.#mfs.xattr.get(path, ATTRIBUTE, 'utf8')) as Kept;
    } catch (error) {
      if (codeOf(error) !== 'ENODATA') throw error;
      const { size, mtimeMs } = stats ?? (await this.#mfs.stat(path));
      return { etag: createHash('md5').update(`${size} ${mtimeMs}`).digest('hex'), headers: {} };
    }
  }

  async #headers(path: string) {
    const stats = await this.#mfs.stat(path);
    if (!stats.isFile()) throw Object.assign(new Error('no object'), { code: 'ENOENT' });
    const { etag, headers } = await this.#kept(path, stats);
    return {
      ...headers,
      etag: JSON.stringify(etag),
      'last-modified': stats.mtime.toUTCString(),
      'content-length': stats.size,
    };
  }
}

function kept(headers: Headers): Record<string, string> {
  const wanted = ([name]: [string, unknown]): boolean =>
    S3Object.ALLOWED_METADATA.includes(name) || name.startsWith('x-amz-meta-');
  return Object.fromEntries(
    Object.entries(headers)
      .filter(wanted)
      .map(([name, value]) => [name, String(value)]),
  );
}

/**
 * Appends all files to the first one; gives its length. Inside of the cluster, without moving a byte, where every one but the last
 * ends with a chunk: clients choose parts of 64 MiB for that. Others are copied.
 */
async function join(mfs: MooseFS, [first, ...rest]: readonly string[]): Promise<number> {
  const before = await Promise.all([first!, ...rest].slice(0, -1).map((path) => mfs.stat(path)));
  if (before.every(({ size }) => size > 0 && size % CHUNK_BYTES === 0)) return mfs.concat(first!, rest);
  for (const path of rest) await pipeline(mfs.createReadStream(path), mfs.createWriteStream(first!, { flags: 'a' }));
  return (await mfs.stat(first!)).size;
}
