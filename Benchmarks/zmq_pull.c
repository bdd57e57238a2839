/* Counts what a PULL socket gets, and prints when the first and the last of it came.
 *
 *     zmq_pull bind|connect ENDPOINT LINES [lines|batches|never]
 *
 * It ends after LINES lines, or when nothing has come for 20 seconds, and prints lines, bytes, messages, and the first
 * and the last time on the monotonic clock in nanoseconds. `batches` takes batches apart, which docs/wire.md describes;
 * `never` reads nothing and stays.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>
#include "lines_of_batch.h"

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(int count, char **arguments) {
    if (count != 5) return 64;
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_PULL);
    int is_never = strcmp(arguments[4], "never") == 0, is_batches = strcmp(arguments[4], "batches") == 0;
    /* A sender that binds fills its queue until this connects: look for it every millisecond. */
    int mark = is_never ? 1 : 20000, interval = 1, patience = 20000;
    zmq_setsockopt(socket, ZMQ_RCVHWM, &mark, sizeof mark);
    zmq_setsockopt(socket, ZMQ_RECONNECT_IVL, &interval, sizeof interval);
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &patience, sizeof patience);
    if (is_never) {
        int room = 4096; /* What the kernel takes in for it counts little beside what the sender may keep. */
        zmq_setsockopt(socket, ZMQ_RCVBUF, &room, sizeof room);
    }
    int is_bound = strcmp(arguments[1], "bind") == 0;
    if ((is_bound ? zmq_bind : zmq_connect)(socket, arguments[2]) != 0) return 69;
    puts("ready");
    fflush(stdout);
    while (is_never) pause();

    long long wanted = atoll(arguments[3]), lines = 0, bytes = 0, messages = 0, first = 0, last = 0;
    zmq_msg_t message;
    zmq_msg_init(&message);
    while (lines < wanted && zmq_msg_recv(&message, socket, 0) >= 0) {
        if (messages++ == 0) first = now();
        size_t size = zmq_msg_size(&message);
        if (is_batches) {
            lines += lines_of_batch(zmq_msg_data(&message), size, &bytes);
        } else {
            lines++;
            bytes += (long long)size;
        }
    }
    last = now();
    printf("%lld %lld %lld %lld %lld\n", lines, bytes, messages, first, last);
    return 0;
}
