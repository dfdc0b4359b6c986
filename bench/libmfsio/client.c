/*
 * The work of the benchmarks through libmfsio: the same as bench/client.mjs does through this package and through a mount.
 *
 * client MASTERHOST MASTERPORT OP FOLDER FILES BYTES CONCURRENCY
 *
 * The work is done once before, on other files in FOLDER-warm, and not counted, as bench/client.mjs does it.
 * Prints one line of JSON: seconds and CPU seconds of the work alone (connecting is not counted), peak resident bytes, and
 * how many files or operations and how many bytes of data the work was. MFSIO_DEFAULTS: the library has mfs_set_defaults.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mfsio.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#define MIB (1024 * 1024)
#define PAGE 4096

static const char *folder;
static uint64_t files, bytes;
static uint8_t *pattern;
static int shared = -1;
static atomic_uint_fast64_t next_index, total_bytes;

static void fail(const char *what, const char *path) {
	fprintf(stderr, "libmfsio: %s %s: %s\n", what, path, strerror(errno));
	exit(1);
}

static int open_or_fail(const char *path, int flags) {
	int fd = mfs_open(path, flags, 0644);
	if (fd < 0) fail("open", path);
	return fd;
}

/* Sizes of uploads, 1 to 5 MiB: the same formula as in bench/client.mjs. */
static uint64_t upload_size(uint64_t i) { return MIB + (i * 2654435) % (4 * MIB + 1); }

/* Offsets of random access: the same formula as in bench/client.mjs. */
static uint64_t random_offset(uint64_t i) {
	uint32_t x = (uint32_t)i * 2654435761u + 12345u;
	x ^= x >> 15;
	x *= 2246822519u;
	x ^= x >> 13;
	return (uint64_t)(x % (uint32_t)(bytes / PAGE)) * PAGE;
}

static void write_all(int fd, uint64_t size, const char *path) {
	for (uint64_t at = 0; at < size;) {
		uint64_t n = size - at < MIB ? size - at : MIB;
		ssize_t written = mfs_pwrite(fd, pattern, n, at);
		if (written <= 0) fail("write", path);
		at += written;
	}
	if (mfs_fsync(fd) < 0) fail("fsync", path);
	total_bytes += size;
}

static void read_all(int fd, uint64_t size, uint8_t *buffer, const char *path) {
	uint64_t at = 0;
	for (;;) {
		ssize_t n = mfs_pread(fd, buffer, MIB, at);
		if (n < 0) fail("read", path);
		if (n == 0) break;
		if (buffer[0] != pattern[at % MIB] || buffer[n - 1] != pattern[(at + n - 1) % MIB]) {
			fprintf(stderr, "libmfsio: other bytes than written at %llu of %s\n", (unsigned long long)at, path);
			exit(1);
		}
		at += n;
		if (at >= size) break;
	}
	if (at != size) {
		fprintf(stderr, "libmfsio: %s has %llu bytes, not %llu\n", path, (unsigned long long)at, (unsigned long long)size);
		exit(1);
	}
	total_bytes += at;
}

static void put(const char *path, uint64_t size) {
	int fd = open_or_fail(path, O_WRONLY | O_CREAT | O_TRUNC);
	write_all(fd, size, path);
	if (mfs_close(fd) < 0) fail("close", path);
}

static void get(const char *path, uint64_t size, uint8_t *buffer) {
	int fd = open_or_fail(path, O_RDONLY);
	read_all(fd, size, buffer, path);
	mfs_close(fd);
}

static void one(const char *op, uint64_t i, uint8_t *buffer) {
	char path[4096];
	snprintf(path, sizeof path, "%s/f%llu", folder, (unsigned long long)i);
	if (!strcmp(op, "write") || !strcmp(op, "create")) put(path, bytes);
	else if (!strcmp(op, "upload")) put(path, upload_size(i));
	else if (!strcmp(op, "read") || !strcmp(op, "readall")) get(path, bytes, buffer);
	else if (!strcmp(op, "download")) get(path, upload_size(i), buffer);
	else if (!strcmp(op, "stat")) {
		struct stat st;
		if (mfs_stat(path, &st) < 0) fail("stat", path);
		if ((uint64_t)st.st_size != bytes) {
			fprintf(stderr, "libmfsio: %s has %llu bytes\n", path, (unsigned long long)st.st_size);
			exit(1);
		}
	} else if (!strcmp(op, "unlink")) {
		if (mfs_unlink(path) < 0) fail("unlink", path);
	} else if (!strcmp(op, "randread")) {
		uint64_t at = random_offset(i);
		if (mfs_pread(shared, buffer, PAGE, at) != PAGE) fail("pread", folder);
		if (buffer[0] != pattern[at % MIB]) {
			fprintf(stderr, "libmfsio: other bytes than written at %llu\n", (unsigned long long)at);
			exit(1);
		}
		total_bytes += PAGE;
	} else if (!strcmp(op, "randwrite")) {
		uint64_t at = random_offset(i);
		if (mfs_pwrite(shared, pattern + at % MIB, PAGE, at) != PAGE) fail("pwrite", folder);
		total_bytes += PAGE;
	} else {
		fprintf(stderr, "libmfsio: unknown work %s\n", op);
		exit(2);
	}
}

static void *lane(void *op) {
	uint8_t *buffer = malloc(MIB);
	for (;;) {
		uint64_t i = next_index++;
		if (i >= files) break;
		one(op, i, buffer);
	}
	free(buffer);
	return NULL;
}

static double seconds_of(struct timeval t) { return t.tv_sec + t.tv_usec / 1e6; }

static double cpu_seconds(struct rusage *usage) {
	getrusage(RUSAGE_SELF, usage);
	return seconds_of(usage->ru_utime) + seconds_of(usage->ru_stime);
}

static void connect_to(char *host, char *port) {
	mfscfg config;
	memset(&config, 0, sizeof config);
#ifdef MFSIO_DEFAULTS
	mfs_set_defaults(&config);
#else
	/* what mfsmount takes where nothing is said */
	config.read_cache_mb = 256;
	config.write_cache_mb = 256;
	config.io_try_cnt = 30;
#endif
	config.masterhost = host;
	config.masterport = port;
	config.mountpoint = "libmfsio-benchmark";
	config.masterpath = "/";
	if (mfs_init(&config, 0) < 0) fail("mfs_init", host);
}

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* All of the work, by as many threads as calls at once. */
static void work(const char *op, int concurrency) {
	char big[4096];
	snprintf(big, sizeof big, "%s/f0", folder);
	shared = -1;
	next_index = 0;
	if (!strcmp(op, "randread")) shared = open_or_fail(big, O_RDONLY);
	if (!strcmp(op, "randwrite")) shared = open_or_fail(big, O_RDWR);
	pthread_t *threads = calloc(concurrency, sizeof *threads);
	for (int i = 0; i < concurrency; i++)
		if (pthread_create(&threads[i], NULL, lane, (void *)op) != 0) fail("pthread_create", op);
	for (int i = 0; i < concurrency; i++) pthread_join(threads[i], NULL);
	free(threads);
	if (!strcmp(op, "randwrite") && mfs_fsync(shared) < 0) fail("fsync", big);
	if (shared >= 0 && mfs_close(shared) < 0) fail("close", big);
}

int main(int argc, char **argv) {
	if (argc != 8) return 2;
	char *op = argv[3];
	folder = argv[4];
	files = strtoull(argv[5], NULL, 10);
	bytes = strtoull(argv[6], NULL, 10);
	int concurrency = atoi(argv[7]);
	pattern = malloc(MIB);
	for (int i = 0; i < MIB; i++) pattern[i] = (i * 31 + (i >> 8)) & 0xff;
	connect_to(argv[1], argv[2]);

	/* the warm-up: the same on other files; of one large file a quarter is enough */
	char warm_folder[4096];
	snprintf(warm_folder, sizeof warm_folder, "%s-warm", folder);
	const char *given_folder = folder;
	uint64_t given_bytes = bytes;
	folder = warm_folder;
	if (files == 1 || !strncmp(op, "rand", 4)) bytes = (bytes / 4 + PAGE - 1) / PAGE * PAGE;
	work(op, concurrency);
	folder = given_folder;
	bytes = given_bytes;
	total_bytes = 0;

	struct rusage usage;
	double cpu = cpu_seconds(&usage), start = now();
	work(op, concurrency);
	double seconds = now() - start;
	cpu = cpu_seconds(&usage) - cpu;
	printf("{\"seconds\":%.6f,\"cpuSeconds\":%.6f,\"peakBytes\":%llu,\"operations\":%llu,\"bytes\":%llu}\n", seconds, cpu,
	       (unsigned long long)usage.ru_maxrss * 1024, (unsigned long long)files, (unsigned long long)total_bytes);
	fflush(stdout);
	mfs_term();
	return 0;
}
