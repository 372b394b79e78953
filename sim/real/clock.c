/*
 * The clock of a real server, read from a page of shared memory.
 *
 * Preloaded into a server (LD_PRELOAD), this library answers the wall clock from the 64-bit count of
 * microseconds since the epoch that stands at the start of the file named by REDELIVERY_CLOCK. Whoever
 * writes that word moves the server's time, forward or backward. The monotonic clock is the kernel's, so
 * the server's event loop keeps running while its wall clock stands still.
 *
 * Nothing here calls a C library, and no header is included: system calls are made directly. So one build
 * serves a server of any libc, old or new, and is at work before that libc has set itself up. The price:
 * errno is not set when a passed-on call fails. No server looks at it after these calls.
 *
 * Without REDELIVERY_CLOCK, or where the file cannot be mapped, every answer is the kernel's. The one who
 * starts the server notices by asking it for TIME.
 */

#if !defined(__linux__) || !defined(__x86_64__) || !defined(__LP64__)
#error "this library makes Linux x86-64 system calls"
#endif

enum call {
    call_read = 0,
    call_open = 2,
    call_close = 3,
    call_mmap = 9,
    call_munmap = 11,
    call_nanosleep = 35,
    call_gettimeofday = 96,
    call_getppid = 110,
    call_prctl = 157,
    call_time = 201,
    call_clock_gettime = 228,
    call_clock_nanosleep = 230,
    call_exit_group = 231,
};

enum {
    realtime = 0,        /* CLOCK_REALTIME */
    realtime_coarse = 5, /* CLOCK_REALTIME_COARSE */
    read_only = 0x80000, /* O_RDONLY | O_CLOEXEC */
    read_write = 0x80002,
    protection_read_write = 3,
    map_shared = 0x01,
    map_private_anonymous = 0x22,
    set_parent_death_signal = 1, /* PR_SET_PDEATHSIG */
    signal_kill = 9,
    no_match = 1, /* REG_NOMATCH, the same in glibc and musl */
    page_bytes = 4096,
    environment_bytes = 8 << 20, /* more than the kernel lets a process have by default */
    ancestors_max = 64,
};

/* A sleep of at least this many seconds (31 years) is not a sleep but a date: it sets the clock. */
static const long date_seconds_min = 1000000000;

struct timespec_words {
    long seconds, nanoseconds;
};

struct timeval_words {
    long seconds, microseconds;
};

static long *page; /* microseconds since the epoch, or null: no virtual clock */

static long raw(enum call number, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"((long)number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static int failed(long result)
{
    return result < 0 && result >= -4095;
}

static int outcome(long result)
{
    return failed(result) ? -1 : (int)result;
}

static long now_us(void)
{
    return __atomic_load_n(page, __ATOMIC_RELAXED);
}

/* ---- the wall clock ---- */

int gettimeofday(struct timeval_words *answer, long *zone)
{
    if (!page)
        return outcome(raw(call_gettimeofday, (long)answer, (long)zone, 0, 0, 0, 0));
    long us = now_us();
    if (answer) {
        answer->seconds = us / 1000000;
        answer->microseconds = us % 1000000;
    }
    if (zone)
        *zone = 0; /* struct timezone is two ints: UTC, no summer time */
    return 0;
}

long time(long *answer)
{
    long seconds = page ? now_us() / 1000000 : raw(call_time, 0, 0, 0, 0, 0, 0);
    if (answer)
        *answer = seconds;
    return seconds;
}

int clock_gettime(int clock, struct timespec_words *answer)
{
    if (!page || (clock != realtime && clock != realtime_coarse))
        return outcome(raw(call_clock_gettime, clock, (long)answer, 0, 0, 0, 0));
    long us = now_us();
    answer->seconds = us / 1000000;
    answer->nanoseconds = us % 1000000 * 1000;
    return 0;
}

/* ---- the clock inside the command stream: DEBUG SLEEP <unix seconds.mmm> ---- */

/* Set the page when the request is a date. The server computed it from a decimal fraction in floating
 * point and cut it off, so it can be a microsecond short: take the nearest millisecond. */
static int sets_the_clock(const struct timespec_words *request)
{
    if (!page || !request || request->seconds < date_seconds_min)
        return 0;
    long us = request->seconds * 1000000 + request->nanoseconds / 1000;
    __atomic_store_n(page, (us + 500) / 1000 * 1000, __ATOMIC_RELAXED);
    return 1;
}

int nanosleep(const struct timespec_words *request, struct timespec_words *rest)
{
    if (sets_the_clock(request))
        return 0;
    return outcome(raw(call_nanosleep, (long)request, (long)rest, 0, 0, 0, 0));
}

int clock_nanosleep(int clock, int flags, const struct timespec_words *request, struct timespec_words *rest)
{
    /* With a flag (TIMER_ABSTIME) a date is what the caller means: leave it to the kernel. */
    if (flags == 0 && sets_the_clock(request))
        return 0;
    return (int)-raw(call_clock_nanosleep, clock, flags, (long)request, (long)rest, 0, 0);
}

/* Valkey 9.1 looks for `constant_tsc` in the processor's description and, where it finds it, reuses a read
 * of the wall clock for up to a millisecond. Told that nothing matches, it asks for the time each time. */
int regexec(const void *pattern, const char *text, unsigned long count, void *matches, int flags)
{
    (void)pattern, (void)text, (void)count, (void)matches, (void)flags;
    return no_match;
}

/* ---- start ---- */

/* Read a file into `buffer`, at most `size` bytes; the number of bytes read, or -1. */
static long slurp(const char *path, char *buffer, long size)
{
    long file = raw(call_open, (long)path, read_only, 0, 0, 0, 0);
    if (failed(file))
        return -1;
    long used = 0;
    while (used < size) {
        long got = raw(call_read, file, (long)(buffer + used), size - used, 0, 0, 0);
        if (got <= 0)
            break;
        used += got;
    }
    raw(call_close, file, 0, 0, 0, 0, 0);
    return used;
}

/* The value of `name` (with its `=`) among the NUL-terminated entries, or null. */
static const char *variable(const char *entries, long size, const char *name)
{
    for (long at = 0; at < size;) {
        long same = 0;
        while (name[same] && at + same < size && entries[at + same] == name[same])
            same++;
        if (!name[same])
            return entries + at + same;
        while (at < size && entries[at])
            at++;
        at++;
    }
    return 0;
}

static long number(const char *digits)
{
    long value = 0;
    while (*digits >= '0' && *digits <= '9')
        value = value * 10 + (*digits++ - '0');
    return value;
}

/* The parent of a process by /proc/<id>/stat, "id (name) state parent ...", or 0. */
static long parent_of(long process)
{
    char path[40] = "/proc/", stat[512], digits[20];
    int length = 6, count = 0;
    for (long rest = process; rest; rest /= 10)
        digits[count++] = (char)('0' + rest % 10);
    while (count)
        path[length++] = digits[--count];
    const char *ending = "/stat";
    while (*ending)
        path[length++] = *ending++;
    path[length] = 0;
    long used = slurp(path, stat, sizeof stat - 1);
    if (used <= 0)
        return 0;
    stat[used] = 0;
    long at = used - 1;
    while (at > 0 && stat[at] != ')') /* the name may hold anything, also a parenthesis: take the last */
        at--;
    return at && at + 4 < used ? number(stat + at + 4) : 0;
}

/* Die with the parent, also when it is killed. The kernel forgets a parent that had died before it was asked
 * to watch it, so look afterwards: whoever was named must be above us. It need not be directly above: a
 * launcher script may run the server, or a small program of its own, without `exec`. */
static void die_with(long parent)
{
    raw(call_prctl, set_parent_death_signal, signal_kill, 0, 0, 0, 0);
    long above = raw(call_getppid, 0, 0, 0, 0, 0, 0);
    for (int steps = 0; above != parent; steps++) {
        if (above <= 1 || steps == ancestors_max)
            raw(call_exit_group, 1, 0, 0, 0, 0, 0);
        above = parent_of(above);
    }
}

/* The environment is read from /proc: which arguments a constructor gets, and whether `environ` is set by
 * then, differs from libc to libc. */
__attribute__((constructor)) static void start(void)
{
    long memory = raw(call_mmap, 0, environment_bytes, protection_read_write, map_private_anonymous, -1, 0);
    if (failed(memory))
        return;
    const char *entries = (const char *)memory;
    long size = slurp("/proc/self/environ", (char *)memory, environment_bytes - 1);
    const char *parent = variable(entries, size, "REDELIVERY_PARENT=");
    if (parent)
        die_with(number(parent));
    const char *path = variable(entries, size, "REDELIVERY_CLOCK=");
    long file = path ? raw(call_open, (long)path, read_write, 0, 0, 0, 0) : -1;
    if (!failed(file)) {
        long mapped = raw(call_mmap, 0, page_bytes, protection_read_write, map_shared, file, 0);
        if (!failed(mapped))
            page = (long *)mapped;
        raw(call_close, file, 0, 0, 0, 0, 0);
    }
    raw(call_munmap, memory, environment_bytes, 0, 0, 0, 0);
}
