#define _GNU_SOURCE
#include "CCurl.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct weir_aio {
    aio_context_t context;
    struct iocb poll;
};

// One poll is in flight at a time. A few slots more have no cost, because the kernel rounds up; it counts them against
// fs.aio-max-nr for the whole machine.
enum { slots = 4 };

weir_aio *weir_aio_create(void) {
    weir_aio *aio = calloc(1, sizeof *aio);
    if (!aio) return NULL;
    if (syscall(SYS_io_setup, slots, &aio->context)) {
        free(aio);
        return NULL;
    }
    return aio;
}

int weir_aio_poll(weir_aio *aio, int fd, int eventfd) {
    struct iocb *list[1] = {&aio->poll};
    memset(&aio->poll, 0, sizeof aio->poll);
    aio->poll.aio_lio_opcode = IOCB_CMD_POLL;
    aio->poll.aio_fildes = (__u32)fd;
    aio->poll.aio_buf = POLLIN;
    aio->poll.aio_flags = IOCB_FLAG_RESFD;
    aio->poll.aio_resfd = (__u32)eventfd;
    long submitted = syscall(SYS_io_submit, aio->context, 1, list);
    return submitted == 1 ? 0 : submitted < 0 ? errno : EAGAIN;
}

// The head of the completion ring that the kernel maps into the process; its address is the context itself. Reading it
// saves a system call per turn. The layout is ABI: libaio and fio rely on it (`struct aio_ring` in fs/aio.c).
struct ring {
    unsigned id, length, head, tail, magic;
};

unsigned weir_aio_reap(weir_aio *aio) {
    struct ring *ring = (struct ring *)aio->context;
    if (ring->magic == 0xa10a10a1) {
        unsigned tail = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
        unsigned head = __atomic_exchange_n(&ring->head, tail, __ATOMIC_RELEASE);
        return tail != head;
    }
    struct io_event events[slots];
    struct timespec { long seconds, nanoseconds; } now = {0, 0};
    long taken = syscall(SYS_io_getevents, aio->context, 0, slots, events, &now);
    return taken > 0 ? (unsigned)taken : 0;
}

void weir_aio_destroy(weir_aio *aio) {
    if (!aio) return;
    syscall(SYS_io_destroy, aio->context);
    free(aio);
}
