/**
 * C source of a library that is preloaded into a process (`LD_PRELOAD`) and stands between it and
 * the files below one directory:
 * - while the trouble file exists, the disk misbehaves as that says: `slow MS` (each sync), `stuck`
 *   (nothing that writes returns), `stuck sync` (syncs do not), `write` or `full` (writes fail),
 *   `sync` (bytes are written, then the sync fails). Each call that is hit adds a byte to the file
 *   `TROUBLE.hits`;
 * - all that changes files is written to a journal, in the words of strace, see `trace.ts`.
 * Buffered streams of the C library write where nobody can look, so they are made to write at once.
 * What is written through memory maps is not seen.
 */
export const SOURCE: string = String.raw`
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))real(&real_##name, #name))
#define KNOWN(name) static void *real_##name
KNOWN(open); KNOWN(open64); KNOWN(write); KNOWN(pwrite); KNOWN(pwrite64); KNOWN(writev);
KNOWN(pwritev); KNOWN(pwritev64); KNOWN(ftruncate); KNOWN(ftruncate64); KNOWN(fsync);
KNOWN(fdatasync); KNOWN(rename); KNOWN(unlink); KNOWN(fopen); KNOWN(fopen64); KNOWN(fwrite);
KNOWN(fwrite_unlocked);

static void *real(void **known, const char *name) {
  if (!*known) *known = dlsym(RTLD_NEXT, name);
  return *known;
}

static const char *setting(const char *name) {
  const char *value = getenv(name);
  return value && *value ? value : NULL;
}

static int is_ours(const char *path) {
  const char *directory = setting("HOLDFAST_DISK_DIRECTORY");
  const char *progress = setting("HOLDFAST_DISK_PROGRESS");
  size_t length = directory ? strlen(directory) : 0;
  if (progress && strcmp(path, progress) == 0) return 1;
  return length && strncmp(path, directory, length) == 0 && path[length] == '/';
}

/* The path of a descriptor; 0 when it is none of ours. */
static int path_of(int fd, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return is_ours(path);
}

/* Trouble. */

enum trouble { FINE, SLOW, STUCK, SYNC_STUCK, WRITE_FAILS, SYNC_FAILS, FULL };

static enum trouble trouble_now(long *ms) {
  const char *path = setting("HOLDFAST_DISK_TROUBLE");
  char text[64];
  int fd = path ? REAL(open)(path, O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0) return FINE;
  ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  text[length > 0 ? length : 0] = 0;
  if (sscanf(text, "slow %ld", ms) == 1) return SLOW;
  if (strncmp(text, "stuck sync", 10) == 0) return SYNC_STUCK;
  if (strncmp(text, "stuck", 5) == 0) return STUCK;
  if (strncmp(text, "write", 5) == 0) return WRITE_FAILS;
  if (strncmp(text, "sync", 4) == 0) return SYNC_FAILS;
  return strncmp(text, "full", 4) == 0 ? FULL : FINE;
}

static void count_hit(void) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s.hits", setting("HOLDFAST_DISK_TROUBLE"));
  int fd = REAL(open)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return;
  if (REAL(write)(fd, ".", 1) < 0) errno = 0;
  close(fd);
}

static void sleep_ms(long ms) {
  struct timespec time = { ms / 1000, ms % 1000 * 1000000L };
  nanosleep(&time, NULL);
}

/* Waits as long as the disk has it; what the call has to fail with, or 0. */
static int meet_trouble(int syncs) {
  long ms = 0;
  int hits = 0;
  enum trouble trouble;
  for (;;) {
    trouble = trouble_now(&ms);
    if (trouble != STUCK && !(trouble == SYNC_STUCK && syncs)) break;
    if (!hits++) count_hit();
    sleep_ms(2);
  }
  int error = 0;
  if (trouble == FULL && !syncs) error = ENOSPC;
  if (trouble == WRITE_FAILS && !syncs) error = EIO;
  if (trouble == SYNC_FAILS && syncs) error = EIO;
  if (error || (trouble == SLOW && syncs)) count_hit();
  if (trouble == SLOW && syncs) sleep_ms(ms);
  return error;
}

/* The journal. */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int journal_fd = -1;

static int has_journal(void) { return setting("HOLDFAST_DISK_JOURNAL") != NULL; }

/* Called with the lock held: a line is whole, and stands where the call came. */
static void journal(const char *line, size_t length) {
  int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
  if (journal_fd < 0) journal_fd = REAL(open)(setting("HOLDFAST_DISK_JOURNAL"), flags, 0644);
  if (journal_fd < 0 || REAL(write)(journal_fd, line, length) != (ssize_t)length) abort();
}

static void journal_text(const char *format, ...) {
  char line[3 * PATH_MAX];
  va_list values;
  va_start(values, format);
  int length = vsnprintf(line, sizeof line, format, values);
  va_end(values);
  if (length < 0 || length >= (int)sizeof line) abort();
  journal(line, length);
}

static char *as_hex(const void *bytes, size_t length) {
  char *text = malloc(4 * length + 1);
  if (!text) abort();
  for (size_t i = 0; i < length; i++)
    sprintf(text + 4 * i, "\\x%02x", ((const unsigned char *)bytes)[i]);
  text[4 * length] = 0;
  return text;
}

static void journal_bytes(const char *name, const char *path, const void *bytes, ssize_t length,
                          long long at) {
  char place[32] = "", *hex = as_hex(bytes, length), *line;
  if (at >= 0) snprintf(place, sizeof place, ", %lld", at);
  int size = asprintf(&line, "%d %s(0<%s>, \"%s\", %zd%s) = %zd\n", getpid(), name, path, hex,
                      length, place, length);
  if (size < 0) abort();
  journal(line, size);
  free(line);
  free(hex);
}

static void journal_path(const char *name, const char *path, const char *more) {
  char *hex = as_hex(path, strlen(path));
  journal_text("%d %s(\"%s\"%s) = 0\n", getpid(), name, hex, more);
  free(hex);
}

/* The calls. */

#define FAIL_IF_TROUBLED(syncs)                                                            \
  do {                                                                                     \
    int error = meet_trouble(syncs);                                                       \
    if (error) { errno = error; return -1; }                                               \
  } while (0)

#define JOURNALLED(type, call, line)                                                       \
  do {                                                                                     \
    if (!has_journal()) return call;                                                       \
    pthread_mutex_lock(&mutex);                                                            \
    type result = call;                                                                    \
    int error = errno;                                                                     \
    if (result >= 0) { line; }                                                             \
    pthread_mutex_unlock(&mutex);                                                          \
    errno = error;                                                                         \
    return result;                                                                         \
  } while (0)

#define ON_FILE(type, name, parameters, arguments, line)                                   \
  type name parameters {                                                                   \
    char path[PATH_MAX];                                                                   \
    if (!path_of(fd, path)) return REAL(name) arguments;                                   \
    FAIL_IF_TROUBLED(0);                                                                   \
    JOURNALLED(type, REAL(name) arguments, line);                                          \
  }

#define UNKNOWN(name) journal_text("%d " #name "(0<%s>, ) = 0\n", getpid(), path)
#define CUT journal_text("%d ftruncate(0<%s>, %lld) = 0\n", getpid(), path, (long long)n)
ON_FILE(ssize_t, write, (int fd, const void *b, size_t n), (fd, b, n),
        journal_bytes("write", path, b, result, -1))
ON_FILE(ssize_t, pwrite, (int fd, const void *b, size_t n, off_t o), (fd, b, n, o),
        journal_bytes("pwrite64", path, b, result, o))
ON_FILE(ssize_t, pwrite64, (int fd, const void *b, size_t n, off64_t o), (fd, b, n, o),
        journal_bytes("pwrite64", path, b, result, o))
ON_FILE(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n), UNKNOWN(writev))
ON_FILE(ssize_t, pwritev, (int fd, const struct iovec *v, int n, off_t o), (fd, v, n, o),
        UNKNOWN(pwritev))
ON_FILE(ssize_t, pwritev64, (int fd, const struct iovec *v, int n, off64_t o), (fd, v, n, o),
        UNKNOWN(pwritev))
ON_FILE(int, ftruncate, (int fd, off_t n), (fd, n), CUT)
ON_FILE(int, ftruncate64, (int fd, off64_t n), (fd, n), CUT)

/* Others may write meanwhile: a sync has a line for its beginning and one for its end. */
static void journal_sync(const char *path, int begins) {
  pthread_mutex_lock(&mutex);
  int thread = (int)(size_t)pthread_self() & 0x7fffffff;
  if (begins) journal_text("%d fdatasync(0<%s> <unfinished ...>\n", thread, path);
  else journal_text("%d <... fdatasync resumed>) = 0\n", thread);
  pthread_mutex_unlock(&mutex);
}

#define ON_SYNC(name)                                                                      \
  int name(int fd) {                                                                       \
    char path[PATH_MAX];                                                                   \
    if (!path_of(fd, path)) return REAL(name)(fd);                                         \
    FAIL_IF_TROUBLED(1);                                                                   \
    if (has_journal()) journal_sync(path, 1);                                              \
    int result = REAL(name)(fd);                                                           \
    if (result >= 0 && has_journal()) journal_sync(path, 0);                               \
    return result;                                                                         \
  }

ON_SYNC(fsync)
ON_SYNC(fdatasync)

/* Whoever creates a file is seen; a path that is not absolute is none of a store's. */
#define ON_OPEN(name)                                                                      \
  int name(const char *path, int flags, ...) {                                             \
    va_list more;                                                                          \
    va_start(more, flags);                                                                 \
    int mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, int) : 0;                    \
    va_end(more);                                                                          \
    if (!(flags & O_CREAT) || !is_ours(path)) return REAL(name)(path, flags, mode);        \
    JOURNALLED(int, REAL(name)(path, flags, mode),                                         \
               journal_path("openat", path, flags & O_TRUNC ? ", O_CREAT|O_TRUNC"          \
                                                            : ", O_CREAT"));               \
  }

ON_OPEN(open)
ON_OPEN(open64)

#define ON_FOPEN(name)                                                                     \
  FILE *name(const char *path, const char *mode) {                                         \
    FILE *stream = REAL(name)(path, mode);                                                 \
    if (stream && *mode != 'r' && is_ours(path) && has_journal()) {                        \
      pthread_mutex_lock(&mutex);                                                          \
      journal_path("openat", path, *mode == 'w' ? ", O_CREAT|O_TRUNC" : ", O_CREAT");      \
      pthread_mutex_unlock(&mutex);                                                        \
    }                                                                                      \
    return stream;                                                                         \
  }

ON_FOPEN(fopen)
ON_FOPEN(fopen64)

/* Written at once, and only then told: whoever looks at the file finds the bytes in it. */
#define WRITTEN(call) (call == n && fflush(stream) == 0 ? (ssize_t)n : -1)

#define ON_FWRITE(name)                                                                    \
  static ssize_t name##_told(const void *b, size_t size, size_t n, FILE *stream,           \
                             const char *path) {                                           \
    FAIL_IF_TROUBLED(0);                                                                   \
    JOURNALLED(ssize_t, WRITTEN(REAL(name)(b, size, n, stream)),                           \
               journal_bytes("write", path, b, size * n, -1));                             \
  }                                                                                        \
  size_t name(const void *b, size_t size, size_t n, FILE *stream) {                        \
    char path[PATH_MAX];                                                                   \
    if (!path_of(fileno(stream), path)) return REAL(name)(b, size, n, stream);             \
    ssize_t written = name##_told(b, size, n, stream, path);                               \
    return written < 0 ? 0 : written;                                                      \
  }

#undef fwrite_unlocked
ON_FWRITE(fwrite)
ON_FWRITE(fwrite_unlocked)

int unlink(const char *path) {
  if (!is_ours(path)) return REAL(unlink)(path);
  JOURNALLED(int, REAL(unlink)(path), journal_path("unlink", path, ""));
}

static void journal_rename(const char *from, const char *to) {
  char *first = as_hex(from, strlen(from)), *second = as_hex(to, strlen(to));
  journal_text("%d rename(\"%s\", \"%s\") = 0\n", getpid(), first, second);
  free(first);
  free(second);
}

int rename(const char *from, const char *to) {
  if (!is_ours(from)) return REAL(rename)(from, to);
  JOURNALLED(int, REAL(rename)(from, to), journal_rename(from, to));
}
`;
