/** The example that puts MooseFS behind s3rver, used as everybody uses S3: @aws-sdk/client-s3, and lib-storage for what is large. */
import { Readable } from 'node:stream';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startS3 } from '../../examples/s3-front/front.ts';
import type { MooseFS } from '../../src/index.ts';
import { connectShared, makeFolder } from '../support/live.ts';
import { pattern } from '../support/pattern.ts';
import { expectReplicas, md5 } from '../support/upload-service.ts';

const COPIES = 2;
const MIB = 1024 * 1024;
const Bucket = 'herd';
let mfs: MooseFS;
let folder: string;
let front: Awaited<ReturnType<typeof startS3>>;
let s3: S3Client;

beforeAll(async () => {
  mfs = await connectShared();
  folder = await makeFolder(mfs, 's3', COPIES);
  front = await startS3(mfs, { directory: folder });
  s3 = new S3Client({
    endpoint: front.url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    // s3rver is older than the trailing checksums that are the default now.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  await s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(async () => {
  s3.destroy();
  await front[Symbol.asyncDispose]();
  await mfs.close();
});

const get = async (Key: string, Range?: string): Promise<Buffer> => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, ...(Range !== undefined && { Range }) }));
  return Buffer.from(await Body!.transformToByteArray());
};
const put = (Key: string, Body: Buffer) => s3.send(new PutObjectCommand({ Bucket, Key, Body }));

test('an object is a file: its bytes, its headers, a range of it, a copy, and its end', async () => {
  const data = pattern(1_500_000, 1);
  const sent = await s3.send(
    new PutObjectCommand({
      ...{ Bucket, Key: 'a/b/elk.png', Body: data, ContentType: 'image/png', Metadata: { colour: 'brown' } },
    }),
  );
  expect(sent.ETag).toBe(`"${md5(data)}"`);
  await expectReplicas(mfs, `${folder}/${Bucket}/a/b/elk.png`, md5(data), COPIES);
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'a/b/elk.png' }));
  expect(head).toMatchObject({
    ...{ ContentLength: data.length, ContentType: 'image/png', Metadata: { colour: 'brown' }, ETag: sent.ETag },
  });
  expect(md5(await get('a/b/elk.png'))).toBe(md5(data));
  expect((await get('a/b/elk.png', 'bytes=70000-140000')).equals(data.subarray(70_000, 140_001))).toBe(true);
  await s3.send(new CopyObjectCommand({ Bucket, Key: 'copy.png', CopySource: `${Bucket}/a/b/elk.png` }));
  await expectReplicas(mfs, `${folder}/${Bucket}/copy.png`, md5(data), COPIES);
  await put('empty', Buffer.alloc(0));
  expect((await get('empty')).length).toBe(0);
  for (const Key of ['a/b/elk.png', 'copy.png', 'empty']) await s3.send(new DeleteObjectCommand({ Bucket, Key }));
  await expect(get('copy.png')).rejects.toMatchObject({ name: 'NoSuchKey' });
  expect(await mfs.readdir(`${folder}/${Bucket}`)).toEqual([]);
});

test('lists: prefixes, delimiters, pages, and files that others have put there', async () => {
  for (const key of ['l/a', 'l/b/1', 'l/b/2', 'l/b.txt', 'l/c']) await put(key, Buffer.from(key));
  await mfs.writeFile(`${folder}/${Bucket}/l/by-mount`, 'moose');
  const list = async (options: object) => {
    const { Contents, CommonPrefixes, ...rest } = await s3.send(new ListObjectsV2Command({ Bucket, ...options }));
    return {
      keys: Contents?.map(({ Key }) => Key) ?? [],
      prefixes: CommonPrefixes?.map(({ Prefix }) => Prefix) ?? [],
      ...rest,
    };
  };
  const all = ['l/a', 'l/b.txt', 'l/b/1', 'l/b/2', 'l/by-mount', 'l/c'];
  expect((await list({ Prefix: 'l/' })).keys).toEqual(all);
  expect((await list({ Prefix: 'l/b' })).keys).toEqual(all.slice(1, 5));
  expect(await list({ Prefix: 'l/', Delimiter: '/' })).toMatchObject({
    keys: all.filter((key) => !key.startsWith('l/b/')),
    prefixes: ['l/b/'],
  });
  // By marker: the tokens of s3rver's newer list are made with DES, which OpenSSL 3 does not have.
  const page = (options: object) => s3.send(new ListObjectsCommand({ Bucket, Prefix: 'l/', ...options }));
  const first = await page({ MaxKeys: 4 });
  expect([first.Contents?.map(({ Key }) => Key), first.IsTruncated]).toEqual([all.slice(0, 4), true]);
  const second = await page({ Marker: all[3] });
  expect([second.Contents?.map(({ Key }) => Key), second.IsTruncated]).toEqual([all.slice(4), false]);
  expect((await get('l/by-mount')).toString()).toBe('moose');
  const { Buckets } = await s3.send(new ListBucketsCommand({}));
  expect(Buckets?.map(({ Name }) => Name)).toEqual([Bucket]);
});

test('lib-storage: 33 MiB in parts, from a stream of unknown length; the md5 of every replica', async () => {
  const data = pattern(33 * MIB + 17, 2);
  const pieces = (function* () {
    for (let at = 0; at < data.length; at += 300_000) yield data.subarray(at, at + 300_000);
  })();
  const upload = new Upload({
    client: s3,
    params: { Bucket, Key: 'films/moose.mp4', Body: Readable.from(pieces), ContentType: 'video/mp4' },
    ...{ partSize: 5 * MIB, queueSize: 4 },
  });
  const seen: number[] = [];
  upload.on('httpUploadProgress', ({ part }) => seen.push(part ?? 0));
  const { ETag } = await upload.done();
  expect(ETag).toMatch(/^"[0-9a-f]{32}-7"$/);
  expect(new Set(seen).size).toBe(7);
  await expectReplicas(mfs, `${folder}/${Bucket}/films/moose.mp4`, md5(data), COPIES);
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'films/moose.mp4' }));
  expect(head).toMatchObject({ ContentLength: data.length, ContentType: 'video/mp4', ETag });
  expect(await mfs.readdir(`${folder}/.uploads`)).toEqual([]);
});

test('parts of 64 MiB are joined inside of the cluster: the object has their chunks', async () => {
  const data = pattern(129 * MIB, 3);
  const Key = 'films/long.mp4';
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const Parts: { ETag: string; PartNumber: number }[] = [];
  const ids: unknown[] = [];
  for (let PartNumber = 1; PartNumber <= 3; PartNumber++) {
    const Body = data.subarray((PartNumber - 1) * 64 * MIB, PartNumber * 64 * MIB);
    const { ETag } = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
    expect(ETag).toBe(`"${md5(Body)}"`);
    Parts.push({ ETag: ETag!, PartNumber });
    ids.push((await mfs.chunks(`${folder}/.uploads/${UploadId}/${PartNumber}`))[0]?.id);
  }
  const wrong = [{ ...Parts[0]!, ETag: `"${'0'.repeat(32)}"` }];
  const complete = (parts: typeof Parts) =>
    s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts: parts } }));
  await expect(complete(wrong)).rejects.toMatchObject({ name: 'InvalidPart' });
  await complete(Parts);
  expect((await mfs.chunks(`${folder}/${Bucket}/${Key}`)).map(({ id }) => id)).toEqual(ids);
  await expectReplicas(mfs, `${folder}/${Bucket}/${Key}`, md5(data), COPIES);
  expect(md5(await get(Key))).toBe(md5(data));
  expect(await mfs.readdir(`${folder}/.uploads`)).toEqual([]);
});

test('keys that would lead out of the bucket, or that no file can have, are refused', async () => {
  await mfs.writeFile(`${folder}/secret`, 'nobody is to read this');
  for (const key of ['a//b', 'x'.repeat(256)]) await expect(put(key, Buffer.from('x')), key).rejects.toThrow();
  for (const path of ['..%2fsecret', '%2e%2e/secret', 'a%2f..%2f..%2f..%2fsecret', '.uploads']) {
    const answer = await fetch(`${front.url}/${Bucket}/${path}`);
    expect([path, answer.status]).not.toEqual([path, 200]);
    expect(await answer.text()).not.toContain('nobody');
  }
  await put('name', Buffer.from('x'));
  await expect(put('name/below', Buffer.from('x'))).rejects.toMatchObject({ name: 'InvalidArgument' });
  await expect(s3.send(new DeleteBucketCommand({ Bucket }))).rejects.toMatchObject({ name: 'BucketNotEmpty' });
  expect(await mfs.readdir(`${folder}/.uploads`)).toEqual([]);
});

test('nothing is left open', async () => {
  await expect
    .poll(() => mfs.resources, { timeout: 10_000 })
    .toMatchObject({ openFiles: 0, activeChunks: 0, waitingCalls: 0 });
});
