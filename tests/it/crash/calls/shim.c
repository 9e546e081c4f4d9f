/* Stands between the program and the C library (LD_PRELOAD): counts the calls that change files below the
   watched folders, and at one of them kills the process or lets the call fail. FAULTS_CONTROL names a file that
   both sides map or write: what to do, and at which call. FAULTS_LOG gets one line per counted call. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { COUNT, KILL_BEFORE, KILL_AFTER, FAIL_EIO, FAIL_ENOSPC, SHORT, SYNC_FAILS, OFTEN_FULL };

/* All fields are 64 bits wide, little endian; the test writes the first four. */
struct control {
    _Atomic uint64_t armed, kind, at;
    _Atomic int64_t clock_offset_ms;
    _Atomic uint64_t count, struck;
};

static struct control *control;
static int log_fd = -1;
static char roots[8 * PATH_MAX];

/* What the call at hand must do. */
enum verdict { PASS, KILL_LATER, FAIL, HALF };

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAULTS_CONTROL"), *log = getenv("FAULTS_LOG");
    const char *watched = getenv("FAULTS_ROOTS"), *word = getenv("FAULTS_COMMAND");
    if (!path || !log || !watched || !word) return;
    char line[4096];
    int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : syscall(SYS_read, fd, line, sizeof line - 1);
    if (fd >= 0) syscall(SYS_close, fd);
    int is_meant = 0;
    for (ssize_t at = 0; at < got; at += (ssize_t)strnlen(line + at, (size_t)(got - at)) + 1) {
        line[got] = 0;
        for (const char *one = word; *one;) {
            size_t length = strcspn(one, ":");
            if (strlen(line + at) == length && strncmp(line + at, one, length) == 0) is_meant = 1;
            one += length + (one[length] == ':');
        }
    }
    if (!is_meant) return;
    snprintf(roots, sizeof roots, "%s", watched);
    fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    log_fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    void *mapped = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    /* A shim that watches nothing must not pass for one that does. */
    if (fd < 0 || log_fd < 0 || mapped == MAP_FAILED) _exit(97);
    syscall(SYS_close, fd);
    control = mapped;
}

static int is_watched(const char *path) {
    for (const char *at = roots; *at;) {
        size_t length = strcspn(at, ":");
        if (strncmp(path, at, length) == 0 && (path[length] == '/' || path[length] == 0)) return 1;
        at += length + (at[length] == ':');
    }
    return 0;
}

static void path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    path[length < 0 ? 0 : length] = 0;
}

static void path_at(int folder, const char *name, char *path) {
    path[0] = 0;
    if (name[0] != '/' && folder != AT_FDCWD) path_of(folder, path);
    size_t length = strlen(path);
    snprintf(path + length, PATH_MAX - length, "%s%s", length ? "/" : "", name);
}

static enum verdict judge(const char *class, const char *path, int is_sync) {
    if (!control || !atomic_load(&control->armed) || !is_watched(path)) return PASS;
    uint64_t kind = atomic_load(&control->kind), at = atomic_load(&control->at);
    uint64_t number = atomic_fetch_add(&control->count, 1) + 1;
    int is_struck = kind != COUNT && (kind == SYNC_FAILS ? is_sync && number >= at : number == at);
    if (kind == OFTEN_FULL) {
        /* a number that looks random, of the number of the call; only what needs room can fail so */
        uint64_t mixed = (number + 1) * 0x9e3779b97f4a7c15u;
        int needs_room = !is_sync && strcmp(class, "unlink") != 0 && strcmp(class, "rename") != 0 && strcmp(class, "truncate") != 0;
        is_struck = needs_room && ((mixed >> 33) % 1000) < at;
    }
    char line[PATH_MAX + 96];
    int length = snprintf(line, sizeof line, "%llu\t%s\t%s\t%s\n", (unsigned long long)number, class, path, is_struck ? "struck" : "-");
    syscall(SYS_write, log_fd, line, (size_t)length);
    if (!is_struck) return PASS;
    atomic_fetch_add(&control->struck, 1);
    switch (kind) {
    case KILL_BEFORE: syscall(SYS_kill, getpid(), SIGKILL); pause(); return PASS;
    case KILL_AFTER: return KILL_LATER;
    case OFTEN_FULL: case FAIL_ENOSPC: errno = is_sync ? EIO : ENOSPC; return FAIL;
    case SHORT: errno = EIO; return strncmp(class, "write", 5) == 0 ? HALF : FAIL;
    default: errno = EIO; return FAIL;
    }
}

static enum verdict judge_fd(const char *class, int fd, int is_sync) {
    char path[PATH_MAX];
    if (!control || !atomic_load(&control->armed)) return PASS;
    path_of(fd, path);
    return judge(class, path, is_sync);
}

static enum verdict judge_at(const char *class, int folder, const char *name) {
    char path[PATH_MAX];
    if (!control || !atomic_load(&control->armed)) return PASS;
    path_at(folder, name, path);
    return judge(class, path, 0);
}

static void killed(enum verdict verdict) {
    if (verdict == KILL_LATER) { syscall(SYS_kill, getpid(), SIGKILL); pause(); }
}

/* A call that either passes whole or fails whole. */
#define WHOLE(ruling, call) do { \
        enum verdict said = (ruling); \
        if (said == FAIL || said == HALF) return -1; \
        long result = (call); \
        killed(said); \
        return result; \
    } while (0)

/* A write: half of it may pass before the error. */
#define WRITTEN(ruling, call, half) do { \
        enum verdict said = (ruling); \
        if (said == FAIL) return -1; \
        if (said == HALF) { (void)!(half); errno = EIO; return -1; } \
        ssize_t result = (call); \
        killed(said); \
        return result; \
    } while (0)

ssize_t write(int fd, const void *from, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    WRITTEN(judge_fd("write", fd, 0), real(fd, from, size), real(fd, from, size / 2));
}
ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    WRITTEN(judge_fd("write", fd, 0), real(fd, from, size, at), real(fd, from, size / 2, at));
}
ssize_t pwrite(int fd, const void *from, size_t size, off_t at) { return pwrite64(fd, from, size, at); }
ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    WRITTEN(judge_fd("write", fd, 0), real(fd, parts, count), real(fd, parts, count / 2));
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
    REAL(ssize_t, "pwritev64", int, const struct iovec *, int, off64_t);
    WRITTEN(judge_fd("write", fd, 0), real(fd, parts, count, at), real(fd, parts, count / 2, at));
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { return pwritev64(fd, parts, count, at); }
ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t size, unsigned flags) {
    REAL(ssize_t, "copy_file_range", int, off64_t *, int, off64_t *, size_t, unsigned);
    WHOLE(judge_fd("copy", to, 0), real(from, from_at, to, to_at, size, flags));
}
int fsync(int fd) {
    REAL(int, "fsync", int);
    WHOLE(judge_fd("sync", fd, 1), real(fd));
}
int fdatasync(int fd) {
    REAL(int, "fdatasync", int);
    WHOLE(judge_fd("sync", fd, 1), real(fd));
}
int sync_file_range(int fd, off64_t at, off64_t size, unsigned flags) {
    REAL(int, "sync_file_range", int, off64_t, off64_t, unsigned);
    WHOLE(judge_fd("sync", fd, 1), real(fd, at, size, flags));
}
int ftruncate64(int fd, off64_t size) {
    REAL(int, "ftruncate64", int, off64_t);
    WHOLE(judge_fd("truncate", fd, 0), real(fd, size));
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

#define MODE(flags, last) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | __O_TMPFILE)) { va_list more; va_start(more, last); mode = va_arg(more, mode_t); va_end(more); }

/* Only an open that can make or empty a file changes anything. */
static enum verdict judge_open(int folder, const char *name, int flags) {
    return (flags & (O_CREAT | O_TRUNC)) ? judge_at("create", folder, name) : PASS;
}
int openat64(int folder, const char *name, int flags, ...) {
    REAL(int, "openat64", int, const char *, int, ...);
    MODE(flags, flags)
    WHOLE(judge_open(folder, name, flags), real(folder, name, flags, mode));
}
int openat(int folder, const char *name, int flags, ...) {
    MODE(flags, flags)
    return openat64(folder, name, flags, mode);
}
int open64(const char *name, int flags, ...) {
    MODE(flags, flags)
    return openat64(AT_FDCWD, name, flags, mode);
}
int open(const char *name, int flags, ...) {
    MODE(flags, flags)
    return openat64(AT_FDCWD, name, flags, mode);
}
int renameat(int from_at, const char *from, int to_at, const char *to) {
    REAL(int, "renameat", int, const char *, int, const char *);
    WHOLE(judge_at("rename", to_at, to), real(from_at, from, to_at, to));
}
int rename(const char *from, const char *to) { return renameat(AT_FDCWD, from, AT_FDCWD, to); }
int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    REAL(int, "renameat2", int, const char *, int, const char *, unsigned);
    WHOLE(judge_at("rename", to_at, to), real(from_at, from, to_at, to, flags));
}
int linkat(int from_at, const char *from, int to_at, const char *to, int flags) {
    REAL(int, "linkat", int, const char *, int, const char *, int);
    WHOLE(judge_at("link", to_at, to), real(from_at, from, to_at, to, flags));
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }
int unlinkat(int folder, const char *name, int flags) {
    REAL(int, "unlinkat", int, const char *, int);
    WHOLE(judge_at("unlink", folder, name), real(folder, name, flags));
}
int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }
int mkdirat(int folder, const char *name, mode_t mode) {
    REAL(int, "mkdirat", int, const char *, mode_t);
    WHOLE(judge_at("mkdir", folder, name), real(folder, name, mode));
}
int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }

int clock_gettime(clockid_t clock, struct timespec *time) {
    REAL(int, "clock_gettime", clockid_t, struct timespec *);
    int result = real(clock, time);
    if (result == 0 && control && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        int64_t offset = atomic_load(&control->clock_offset_ms);
        time->tv_sec += offset / 1000;
    }
    return result;
}
