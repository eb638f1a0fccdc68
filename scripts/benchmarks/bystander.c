/* A thread that wakes twice in a millisecond and does nothing: it is late when the machine is.

   bystander CORE PRIORITY: says "ready", then until its standard input ends nothing, and then of
   each wake-up that came later than a tenth of a millisecond when it was due and when it came, in
   nanoseconds of CLOCK_MONOTONIC. */

#define _GNU_SOURCE
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum { PERIOD_NS = 500000, LATE_NS = 100000, MOST = 1 << 20, LOOK_EVERY = 200 };

static int64_t due[MOST], came[MOST];

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int told_to_end(void) {
    struct pollfd in = {.fd = 0, .events = POLLIN};
    return poll(&in, 1, 0) > 0;
}

int main(int count, char **words) {
    if (count != 3) return 2;
    cpu_set_t core;
    CPU_ZERO(&core);
    CPU_SET(atoi(words[1]), &core);
    struct sched_param urgent = {.sched_priority = atoi(words[2])};
    mlockall(MCL_CURRENT | MCL_FUTURE);
    if (sched_setaffinity(0, sizeof core, &core)) return 3;
    int granted = !sched_setscheduler(0, SCHED_FIFO, &urgent);
    printf("ready %d\n", granted);
    fflush(stdout);

    int64_t next = now();
    int late = 0;
    for (int wake = 0;; wake++) {
        next += PERIOD_NS;
        struct timespec until = {next / 1000000000, next % 1000000000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        int64_t then = now();
        if (then - next > LATE_NS && late < MOST) {
            due[late] = next;
            came[late++] = then;
        }
        if (wake % LOOK_EVERY == 0 && told_to_end()) break;
    }
    for (int i = 0; i < late; i++) printf("%lld %lld\n", (long long)due[i], (long long)came[i]);
    return 0;
}
