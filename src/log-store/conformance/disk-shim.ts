/**
 * A library preloaded into a child process that stands between it and the disk. Before every system
 * call that changes the store's directory it saves a picture of it, of one of two kinds:
 * - the files as they are, which is what a killed process leaves, and once more in the middle of
 *   every write;
 * - the files as they were last synced, which is what a power cut may leave.
 * Names are taken as durable at once; what was never synced is an empty file. While the fault file
 * exists, writes fail with "no space left". What is written through memory maps is not seen.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';

const SOURCE = String.raw`
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static __thread int inside; /* our own calls pass through */
static int pictures;

static const char *setting(const char *name) {
  const char *value = getenv(name);
  return value && *value ? value : NULL;
}

static int is_ours(const char *path) {
  const char *directory = setting("HOLDFAST_SHIM_DIRECTORY");
  size_t length = directory ? strlen(directory) : 0;
  return length && strncmp(path, directory, length) == 0 &&
         (path[length] == '/' || path[length] == 0);
}

static int is_our_file(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return is_ours(path);
}

static void copy_file(const char *from, const char *to) {
  char buffer[65536];
  int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  int in = from ? open(from, O_RDONLY) : -1;
  if (out < 0) abort();
  ssize_t length;
  while (in >= 0 && (length = read(in, buffer, sizeof buffer)) > 0)
    if (write(out, buffer, length) != length) abort();
  if (in >= 0) close(in);
  close(out);
}

static void shadow_path(char *path, ino_t inode) {
  const char *pictures_at = setting("HOLDFAST_SHIM_PICTURES");
  snprintf(path, PATH_MAX, "%s/synced-%lu", pictures_at, (unsigned long)inode);
}

static void copy_tree(const char *from, const char *to, int synced) {
  DIR *directory = opendir(from);
  struct dirent *item;
  mkdir(to, 0755);
  while (directory && (item = readdir(directory))) {
    char source[PATH_MAX], target[PATH_MAX], shadow[PATH_MAX];
    struct stat status;
    if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0) continue;
    snprintf(source, sizeof source, "%s/%s", from, item->d_name);
    snprintf(target, sizeof target, "%s/%s", to, item->d_name);
    if (lstat(source, &status)) continue;
    if (S_ISDIR(status.st_mode)) {
      copy_tree(source, target, synced);
    } else if (S_ISREG(status.st_mode) && !synced) {
      copy_file(source, target);
    } else if (S_ISREG(status.st_mode)) {
      shadow_path(shadow, status.st_ino);
      copy_file(access(shadow, F_OK) == 0 ? shadow : NULL, target);
    }
  }
  if (directory) closedir(directory);
}

static void take_picture(void) {
  const char *pictures_at = setting("HOLDFAST_SHIM_PICTURES");
  if (!pictures_at) return;
  char path[PATH_MAX], progress[PATH_MAX];
  int number = ++pictures;
  snprintf(path, sizeof path, "%s/%06d", pictures_at, number);
  mkdir(path, 0755);
  snprintf(path, sizeof path, "%s/%06d/store", pictures_at, number);
  copy_tree(setting("HOLDFAST_SHIM_DIRECTORY"), path, setting("HOLDFAST_SHIM_SYNCED") != NULL);
  snprintf(path, sizeof path, "%s/%06d/progress", pictures_at, number);
  snprintf(progress, sizeof progress, "%s/progress", pictures_at);
  copy_file(progress, path);
}

static void keep_synced(int fd) {
  char from[64], shadow[PATH_MAX];
  struct stat status;
  if (!setting("HOLDFAST_SHIM_PICTURES") || fstat(fd, &status) || !S_ISREG(status.st_mode)) return;
  snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
  shadow_path(shadow, status.st_ino);
  copy_file(from, shadow);
}

/* The inode may be used again: a new file must not look as if it had been synced. */
static void forget_synced(const char *path) {
  char shadow[PATH_MAX];
  struct stat status;
  if (!setting("HOLDFAST_SHIM_PICTURES") || lstat(path, &status) || status.st_nlink > 1) return;
  shadow_path(shadow, status.st_ino);
  unlink(shadow);
}

static int disk_is_full(void) {
  const char *fault = setting("HOLDFAST_SHIM_FAULT");
  return fault && access(fault, F_OK) == 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define ON_FILE(type, name, parameters, arguments, writes, after)                        \
  ON_FILE_BY(REAL(name), type, name, parameters, arguments, writes, after)

#define ON_FILE_BY(call, type, name, parameters, arguments, writes, after)               \
  type name parameters {                                                                 \
    if (inside || !is_our_file(fd)) return REAL(name) arguments;                         \
    pthread_mutex_lock(&mutex);                                                          \
    inside = 1;                                                                          \
    type result = -1;                                                                    \
    int full = writes && disk_is_full();                                                 \
    if (!full) {                                                                         \
      take_picture();                                                                    \
      result = call arguments;                                                           \
      int error = errno;                                                                 \
      if (result >= 0) { after; }                                                        \
      errno = error;                                                                     \
    } else {                                                                             \
      errno = ENOSPC;                                                                    \
    }                                                                                    \
    inside = 0;                                                                          \
    pthread_mutex_unlock(&mutex);                                                        \
    return result;                                                                       \
  }

/* A kill may come when part of the bytes are written: they go in two halves. */
#define ON_WRITE(name, parameters, first, rest)                                          \
  static ssize_t name##_in_halves parameters {                                           \
    if (n < 2 || setting("HOLDFAST_SHIM_SYNCED")) return REAL(name) rest(0);             \
    ssize_t done = REAL(name) first(n / 2);                                              \
    if (done < 0) return done;                                                           \
    take_picture();                                                                      \
    ssize_t more = REAL(name) rest(done);                                                \
    return more < 0 ? done : done + more;                                                \
  }                                                                                      \
  ON_FILE_BY(name##_in_halves, ssize_t, name, parameters, rest(0), 1, )

#define AT(skip) ((const char *)b + (skip))
#define FIRST(count) (fd, b, count)
#define REST(skip) (fd, AT(skip), n - (skip))
#define FIRST_AT(count) (fd, b, count, o)
#define REST_AT(skip) (fd, AT(skip), n - (skip), o + (skip))
ON_WRITE(write, (int fd, const void *b, size_t n), FIRST, REST)
ON_WRITE(pwrite, (int fd, const void *b, size_t n, off_t o), FIRST_AT, REST_AT)
ON_WRITE(pwrite64, (int fd, const void *b, size_t n, off64_t o), FIRST_AT, REST_AT)
ON_FILE(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n), 1, )
ON_FILE(ssize_t, pwritev, (int fd, const struct iovec *v, int n, off_t o), (fd, v, n, o), 1, )
ON_FILE(ssize_t, pwritev64, (int fd, const struct iovec *v, int n, off64_t o), (fd, v, n, o), 1, )
ON_FILE(int, ftruncate, (int fd, off_t n), (fd, n), 0, )
ON_FILE(int, ftruncate64, (int fd, off64_t n), (fd, n), 0, )
ON_FILE(int, fsync, (int fd), (fd), 0, keep_synced(fd))
ON_FILE(int, fdatasync, (int fd), (fd), 0, keep_synced(fd))

/* Buffered streams write where no one can look: in fflush, in fclose, and in a large fwrite. */
#define ON_STREAM(type, name, parameters, arguments, writes, failed)                     \
  type name parameters {                                                                 \
    if (inside || !stream || !(writes) || !is_our_file(fileno(stream)))                  \
      return REAL(name) arguments;                                                       \
    pthread_mutex_lock(&mutex);                                                          \
    inside = 1;                                                                          \
    type result = failed;                                                                \
    if (!disk_is_full()) {                                                               \
      take_picture();                                                                    \
      result = REAL(name) arguments;                                                     \
    } else {                                                                             \
      errno = ENOSPC;                                                                    \
    }                                                                                    \
    inside = 0;                                                                          \
    pthread_mutex_unlock(&mutex);                                                        \
    return result;                                                                       \
  }

#undef fwrite_unlocked
#undef fflush_unlocked
#define IS_LARGE (size * n >= 4096)
ON_STREAM(size_t, fwrite, (const void *b, size_t size, size_t n, FILE *stream),
          (b, size, n, stream), IS_LARGE, 0)
ON_STREAM(size_t, fwrite_unlocked, (const void *b, size_t size, size_t n, FILE *stream),
          (b, size, n, stream), IS_LARGE, 0)
ON_STREAM(int, fflush, (FILE *stream), (stream), 1, EOF)
ON_STREAM(int, fflush_unlocked, (FILE *stream), (stream), 1, EOF)
ON_STREAM(int, fclose, (FILE *stream), (stream), 1, EOF)

#define ON_PATH(name, parameters, arguments, path)                                       \
  int name parameters {                                                                  \
    if (inside || !is_ours(path)) return REAL(name) arguments;                           \
    pthread_mutex_lock(&mutex);                                                          \
    inside = 1;                                                                          \
    take_picture();                                                                      \
    forget_synced(path);                                                                 \
    int result = REAL(name) arguments;                                                   \
    inside = 0;                                                                          \
    pthread_mutex_unlock(&mutex);                                                        \
    return result;                                                                       \
  }

ON_PATH(unlink, (const char *path), (path), path)
ON_PATH(rename, (const char *from, const char *to), (from, to), to)
`;

const COMPILERS: readonly (readonly string[])[] = [['cc'], ['gcc'], ['g++', '-x', 'c']];

let compiled: Buffer | undefined;

function compile(directory: string): Buffer {
  const source = join(directory, 'shim.c');
  const library = join(directory, 'compiled.so');
  writeFileSync(source, SOURCE);
  const reasons: string[] = [];
  for (const [command, ...options] of COMPILERS) {
    try {
      const output = ['-O1', '-shared', '-fPIC', '-o', library];
      execFileSync(command!, [...options, source, ...output, '-ldl', '-lpthread'], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      return readFileSync(library);
    } catch (error) {
      reasons.push(`${command}: ${messageOf(error)}`);
    }
  }
  throw new Error(
    'no C compiler works here, so whether the store syncs what it writes cannot be checked; ' +
      `install one, or leave these cases out with systemCalls: false. ${reasons.join('; ')}`,
  );
}

/** Puts the library into `directory` and returns its path. Compiled once a process. */
export function buildDiskShim(directory: string): string {
  compiled ??= compile(directory);
  const library = join(directory, 'shim.so');
  writeFileSync(library, compiled);
  return library;
}
