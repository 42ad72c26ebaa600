/* What origin.c and pace.c share. Linux only, no library but libc. */
#ifndef BENCHMARKS_COMMON_H
#define BENCHMARKS_COMMON_H

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

#define NS_PER_S 1000000000ll
#define MAX_EVENTS 512

/* Ends the program where the machine does not give what a measurement needs. */
static inline _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(2);
}

static inline void *allocate(void *old, size_t count, size_t size)
{
    void *memory = reallocarray(old, count, size);
    if (!memory)
        give_up("memory");
    return memory;
}

static inline int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Waits for events until an instant of CLOCK_MONOTONIC, to the nanosecond; INT64_MAX is for ever. */
static inline int wait_until(int epoll, struct epoll_event *events, int64_t until)
{
    int64_t left = until - now_ns();
    if (left < 0)
        left = 0;
    struct timespec timeout = {left / NS_PER_S, left % NS_PER_S};
    int count = epoll_pwait2(epoll, events, MAX_EVENTS, until == INT64_MAX ? NULL : &timeout, NULL);
    if (count < 0 && errno != EINTR)
        give_up("epoll_pwait2");
    return count < 0 ? 0 : count;
}

/* As many descriptors as the system lets this process have. */
static inline void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* The value behind `name` among the arguments, all of the form `--name value`; `otherwise` where it is not there. */
static inline double number_option(int argc, char **argv, const char *name, double otherwise)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], name))
            continue;
        char *end;
        double value = strtod(argv[i + 1], &end);
        if (*end || end == argv[i + 1] || value < 0) {
            fprintf(stderr, "%s takes a number of 0 or more, not %s\n", name, argv[i + 1]);
            exit(2);
        }
        return value;
    }
    return otherwise;
}

#endif
