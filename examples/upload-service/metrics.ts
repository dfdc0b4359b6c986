/** What Prometheus asks for, without a library: a few counters in its text format. */
import type { Socket } from 'node:net';
import type { RequestHandler } from 'express';
import type { MooseFS } from '../../src/index.ts';

export class Metrics {
  readonly #mfs: MooseFS;
  readonly #requests = new Map<string, number>();
  /** What of a connection is counted already: a request's first bytes are read before anybody is told of it. */
  readonly #counted = new WeakMap<Socket, number>();
  #bytes = 0;
  #active = 0;

  constructor(mfs: MooseFS) {
    this.#mfs = mfs;
  }

  /** Counts every request. */
  middleware(): RequestHandler {
    return (request, response, next) => {
      this.#active++;
      const { socket } = request;
      let path = `/${request.path.split('/')[1] ?? ''}`;
      response.once('close', () => {
        this.#active--;
        this.#bytes += socket.bytesRead - (this.#counted.get(socket) ?? 0);
        this.#counted.set(socket, socket.bytesRead);
        // Names that strangers make up are not to become labels without end.
        if (response.statusCode === 404) path = '';
        const key = `method="${request.method}",path="${path}",status="${response.statusCode}"`;
        this.#requests.set(key, (this.#requests.get(key) ?? 0) + 1);
      });
      next();
    };
  }

  /** In Prometheus's text format. */
  text(): string {
    const { openFiles, connections, activeChunks, waitingCalls } = this.#mfs.resources;
    const gauges = {
      upload_active_requests: this.#active,
      moosefs_open_files: openFiles,
      moosefs_chunkserver_connections: connections,
      moosefs_active_chunks: activeChunks,
      moosefs_waiting_calls: waitingCalls,
      process_resident_memory_bytes: process.memoryUsage.rss(),
    };
    return [
      '# TYPE upload_requests_total counter',
      ...[...this.#requests].map(([labels, count]) => `upload_requests_total{${labels}} ${count}`),
      '# TYPE upload_received_bytes_total counter',
      `upload_received_bytes_total ${this.#bytes}`,
      ...Object.entries(gauges).flatMap(([name, value]) => [`# TYPE ${name} gauge`, `${name} ${value}`]),
      '',
    ].join('\n');
  }
}
