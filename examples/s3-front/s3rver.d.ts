/** What this example uses of s3rver, which has no types. */
/* eslint-disable no-restricted-exports, @typescript-eslint/no-extraneous-class -- what a CommonJS module exports is its default */
declare module 's3rver' {
  import type { Server } from 'node:http';

  export interface S3rverOptions {
    readonly address?: string;
    readonly port?: number;
    readonly silent?: boolean;
    readonly vhostBuckets?: boolean;
    readonly directory?: string;
  }
  class S3rver {
    constructor(options: S3rverOptions);
    store: unknown;
    readonly context: { store: unknown };
    readonly httpServer: Server;
    run(): Promise<{ readonly address: string; readonly port: number }>;
  }
  export default S3rver;
}
declare module 's3rver/lib/models/object.js' {
  import type { Readable } from 'node:stream';

  export type Headers = Readonly<Record<string, string | string[] | number | undefined>>;
  class S3Object {
    static readonly ALLOWED_METADATA: readonly string[];
    constructor(bucket: string, key: string, content: Readable | Buffer | null, metadata: Headers);
    readonly bucket: string;
    readonly key: string;
    readonly content: Readable | Buffer | null;
    readonly metadata: Record<string, string>;
    range?: { readonly start: number; readonly end: number };
  }
  export default S3Object;
}
declare module 's3rver/lib/models/bucket.js' {
  class S3Bucket {
    constructor(name: string, creationDate: Date);
  }
  export default S3Bucket;
}
declare module 's3rver/lib/models/error.js' {
  class S3Error extends Error {
    constructor(code: string, message: string, detail?: object);
  }
  export default S3Error;
}
