/* Make system calls fail on purpose: loaded with LD_PRELOAD, told what to do by a file in memory.
 *
 * The file named by ERRNO_PLAN is mapped and shared: whoever writes the plan (errno_plan.py) reaches this process and
 * all its children at once. A call fails when the plan is armed, the call is of the planned operation, its path (or that
 * of its descriptor) holds the planned text and not the excepted one, and its number lies within the planned ones.
 * Calls of every operation on such paths are counted, so that a plan without an error is a survey.
 *
 * No header that declares what is defined here is included: some declare it as a macro or with other types.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>

enum operation { OPEN, READ, WRITE, FLUSH, RENAME, UNLINK, STAT, LIST, MKDIR, MMAP, CLOSE, TRUNCATE, OPERATIONS };

struct plan { /* as errno_plan.py packs it */
    int32_t armed, operation, error, first, last, seen, injected, calls[OPERATIONS];
    char path[256], except[256];
};

extern long syscall(long number, ...);
extern int dirfd(void *directory);
static struct plan *plan;

#define AT_FDCWD (-100)
#define O_CREAT 0100
#define O_TMPFILE 020200000
#define REAL(type, name, ...)                                              \
    static type (*real)(__VA_ARGS__);                                      \
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void) {
    const char *file = getenv("ERRNO_PLAN");
    long descriptor = file ? syscall(SYS_openat, AT_FDCWD, file, 2 /* O_RDWR */, 0) : -1;
    if (descriptor < 0) return;
    long mapped = syscall(SYS_mmap, 0L, sizeof(struct plan), 3L /* read, write */, 1L /* shared */, descriptor, 0L);
    syscall(SYS_close, descriptor);
    if (mapped > 0 || mapped < -4096) plan = (struct plan *)mapped;
}

static int fails(enum operation operation, const char *path) {
    struct plan *p = plan;
    if (!p || !p->armed || !path || !strstr(path, p->path)) return 0;
    if (p->except[0] && strstr(path, p->except)) return 0;
    __atomic_add_fetch(&p->calls[operation], 1, __ATOMIC_SEQ_CST);
    if (p->operation != (int32_t)operation || !p->error) return 0;
    int32_t number = __atomic_add_fetch(&p->seen, 1, __ATOMIC_SEQ_CST);
    if (number < p->first || number > p->last) return 0;
    __atomic_add_fetch(&p->injected, 1, __ATOMIC_SEQ_CST);
    errno = p->error;
    return 1;
}

static const char *path_of(int descriptor, char *into, size_t size) {
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    long length = syscall(SYS_readlinkat, AT_FDCWD, link, into, size - 1);
    into[length > 0 ? length : 0] = 0;
    return into;
}

static int fails_file(enum operation operation, int descriptor) {
    char path[4096];
    if (!plan || !plan->armed || descriptor < 0) return 0;
    int before = errno, failed = fails(operation, path_of(descriptor, path, sizeof path));
    if (!failed) errno = before;
    return failed;
}

static int fails_at(enum operation operation, int folder, const char *name) {
    char path[8192];
    if (!plan || !plan->armed || !name) return 0;
    if (name[0] == '/' || folder == AT_FDCWD) return fails(operation, name);
    path_of(folder, path, 4096);
    strcat(path, "/");
    strncat(path, name, 4000);
    return fails(operation, path);
}

/* open */
#define OPEN_FUNCTION(name)                                                \
    int name(const char *path, int flags, ...) {                           \
        REAL(int, name, const char *, int, ...);                           \
        va_list list;                                                      \
        va_start(list, flags);                                             \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, int) : 0; \
        va_end(list);                                                      \
        return fails(OPEN, path) ? -1 : real(path, flags, mode);           \
    }
OPEN_FUNCTION(open)
OPEN_FUNCTION(open64)
#define OPENAT_FUNCTION(name)                                              \
    int name(int folder, const char *path, int flags, ...) {               \
        REAL(int, name, int, const char *, int, ...);                      \
        va_list list;                                                      \
        va_start(list, flags);                                             \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, int) : 0; \
        va_end(list);                                                      \
        return fails_at(OPEN, folder, path) ? -1 : real(folder, path, flags, mode); \
    }
OPENAT_FUNCTION(openat)
OPENAT_FUNCTION(openat64)

/* read and write */
#define MOVE_FUNCTION(name, operation, pointer)                            \
    ssize_t name(int file, pointer bytes, size_t size) {                   \
        REAL(ssize_t, name, int, pointer, size_t);                         \
        return fails_file(operation, file) ? -1 : real(file, bytes, size); \
    }
MOVE_FUNCTION(read, READ, void *)
MOVE_FUNCTION(write, WRITE, const void *)
#define MOVE_AT_FUNCTION(name, operation, pointer)                         \
    ssize_t name(int file, pointer bytes, size_t size, int64_t at) {       \
        REAL(ssize_t, name, int, pointer, size_t, int64_t);                \
        return fails_file(operation, file) ? -1 : real(file, bytes, size, at); \
    }
MOVE_AT_FUNCTION(pread, READ, void *)
MOVE_AT_FUNCTION(pread64, READ, void *)
MOVE_AT_FUNCTION(pwrite, WRITE, const void *)
MOVE_AT_FUNCTION(pwrite64, WRITE, const void *)
#define MOVE_ALL_FUNCTION(name, operation)                                 \
    ssize_t name(int file, const void *pieces, int count) {                \
        REAL(ssize_t, name, int, const void *, int);                       \
        return fails_file(operation, file) ? -1 : real(file, pieces, count); \
    }
MOVE_ALL_FUNCTION(readv, READ)
MOVE_ALL_FUNCTION(writev, WRITE)
#define MOVE_ALL_AT_FUNCTION(name, operation)                              \
    ssize_t name(int file, const void *pieces, int count, int64_t at) {    \
        REAL(ssize_t, name, int, const void *, int, int64_t);              \
        return fails_file(operation, file) ? -1 : real(file, pieces, count, at); \
    }
MOVE_ALL_AT_FUNCTION(preadv, READ)
MOVE_ALL_AT_FUNCTION(preadv64, READ)
MOVE_ALL_AT_FUNCTION(pwritev, WRITE)
MOVE_ALL_AT_FUNCTION(pwritev64, WRITE)
#define SEND_FUNCTION(name)                                                \
    ssize_t name(int to, int from, void *at, size_t size) {                \
        REAL(ssize_t, name, int, int, void *, size_t);                     \
        return fails_file(READ, from) || fails_file(WRITE, to) ? -1 : real(to, from, at, size); \
    }
SEND_FUNCTION(sendfile)
SEND_FUNCTION(sendfile64)
ssize_t copy_file_range(int from, void *from_at, int to, void *to_at, size_t size, unsigned flags) {
    REAL(ssize_t, copy_file_range, int, void *, int, void *, size_t, unsigned);
    return fails_file(READ, from) || fails_file(WRITE, to) ? -1 : real(from, from_at, to, to_at, size, flags);
}

/* of one descriptor */
#define FILE_FUNCTION(name, operation)                                     \
    int name(int file) {                                                   \
        REAL(int, name, int);                                              \
        return fails_file(operation, file) ? -1 : real(file);              \
    }
FILE_FUNCTION(fsync, FLUSH)
FILE_FUNCTION(fdatasync, FLUSH)
FILE_FUNCTION(syncfs, FLUSH)
int close(int file) { /* a failing close has closed */
    REAL(int, close, int);
    int failed = fails_file(CLOSE, file), error = errno, closed = real(file);
    if (failed) errno = error;
    return failed ? -1 : closed;
}
#define TRUNCATE_FUNCTION(name)                                            \
    int name(int file, int64_t size) {                                     \
        REAL(int, name, int, int64_t);                                     \
        return fails_file(TRUNCATE, file) ? -1 : real(file, size);         \
    }
TRUNCATE_FUNCTION(ftruncate)
TRUNCATE_FUNCTION(ftruncate64)
#define ALLOCATE_FUNCTION(name)                                            \
    int name(int file, int64_t at, int64_t size) {                         \
        REAL(int, name, int, int64_t, int64_t);                            \
        return fails_file(TRUNCATE, file) ? errno : real(file, at, size);  \
    }
ALLOCATE_FUNCTION(posix_fallocate)
ALLOCATE_FUNCTION(posix_fallocate64)
#define MMAP_FUNCTION(name)                                                \
    void *name(void *where, size_t size, int protection, int flags, int file, int64_t at) { \
        REAL(void *, name, void *, size_t, int, int, int, int64_t);        \
        return fails_file(MMAP, file) ? (void *)-1 : real(where, size, protection, flags, file, at); \
    }
MMAP_FUNCTION(mmap)
MMAP_FUNCTION(mmap64)

/* of paths */
int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *);
    return fails(RENAME, to) ? -1 : real(from, to);
}
int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    REAL(int, renameat, int, const char *, int, const char *);
    return fails_at(RENAME, to_folder, to) ? -1 : real(from_folder, from, to_folder, to);
}
#define PATH_FUNCTION(name, operation)                                     \
    int name(const char *path) {                                           \
        REAL(int, name, const char *);                                     \
        return fails(operation, path) ? -1 : real(path);                   \
    }
PATH_FUNCTION(unlink, UNLINK)
PATH_FUNCTION(rmdir, UNLINK)
int unlinkat(int folder, const char *path, int flags) {
    REAL(int, unlinkat, int, const char *, int);
    return fails_at(UNLINK, folder, path) ? -1 : real(folder, path, flags);
}
int mkdir(const char *path, mode_t mode) {
    REAL(int, mkdir, const char *, mode_t);
    return fails(MKDIR, path) ? -1 : real(path, mode);
}
int mkdirat(int folder, const char *path, mode_t mode) {
    REAL(int, mkdirat, int, const char *, mode_t);
    return fails_at(MKDIR, folder, path) ? -1 : real(folder, path, mode);
}

/* stat, of old and new C libraries */
#define STAT_FUNCTION(name)                                                \
    int name(const char *path, void *found) {                              \
        REAL(int, name, const char *, void *);                             \
        return fails(STAT, path) ? -1 : real(path, found);                 \
    }
STAT_FUNCTION(stat)
STAT_FUNCTION(stat64)
STAT_FUNCTION(lstat)
STAT_FUNCTION(lstat64)
#define FSTAT_FUNCTION(name)                                               \
    int name(int file, void *found) {                                      \
        REAL(int, name, int, void *);                                      \
        return fails_file(STAT, file) ? -1 : real(file, found);            \
    }
FSTAT_FUNCTION(fstat)
FSTAT_FUNCTION(fstat64)
#define FSTATAT_FUNCTION(name)                                             \
    int name(int folder, const char *path, void *found, int flags) {       \
        REAL(int, name, int, const char *, void *, int);                   \
        return fails_at(STAT, folder, path) ? -1 : real(folder, path, found, flags); \
    }
FSTATAT_FUNCTION(fstatat)
FSTATAT_FUNCTION(fstatat64)
int statx(int folder, const char *path, int flags, unsigned mask, void *found) {
    REAL(int, statx, int, const char *, int, unsigned, void *);
    return fails_at(STAT, folder, path) ? -1 : real(folder, path, flags, mask, found);
}
#define XSTAT_FUNCTION(name)                                               \
    int name(int version, const char *path, void *found) {                 \
        REAL(int, name, int, const char *, void *);                        \
        return fails(STAT, path) ? -1 : real(version, path, found);        \
    }
XSTAT_FUNCTION(__xstat)
XSTAT_FUNCTION(__xstat64)
XSTAT_FUNCTION(__lxstat)
XSTAT_FUNCTION(__lxstat64)
#define FXSTAT_FUNCTION(name)                                              \
    int name(int version, int file, void *found) {                         \
        REAL(int, name, int, int, void *);                                 \
        return fails_file(STAT, file) ? -1 : real(version, file, found);   \
    }
FXSTAT_FUNCTION(__fxstat)
FXSTAT_FUNCTION(__fxstat64)
#define FXSTATAT_FUNCTION(name)                                            \
    int name(int version, int folder, const char *path, void *found, int flags) { \
        REAL(int, name, int, int, const char *, void *, int);              \
        return fails_at(STAT, folder, path) ? -1 : real(version, folder, path, found, flags); \
    }
FXSTATAT_FUNCTION(__fxstatat)
FXSTATAT_FUNCTION(__fxstatat64)

/* listings */
void *opendir(const char *path) {
    REAL(void *, opendir, const char *);
    return fails(LIST, path) ? NULL : real(path);
}
#define READDIR_FUNCTION(name)                                             \
    void *name(void *directory) {                                          \
        REAL(void *, name, void *);                                        \
        return fails_file(LIST, dirfd(directory)) ? NULL : real(directory); \
    }
READDIR_FUNCTION(readdir)
READDIR_FUNCTION(readdir64)
