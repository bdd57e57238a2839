/* A receiver of the reliable protocol, written from docs/wire.md, for a sender that binds.
 *
 *     zmq_dealer ENDPOINT LINES
 *
 * Acknowledges each batch when it has gone through its lines, and prints the same as zmq_pull.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>
#include "lines_of_batch.h"

enum { OFFER = 1, HELLO, BATCH, PING, ACK, BYE };

static void *dealer;
static unsigned char session[8];

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void put(unsigned char *bytes, uint32_t value) {
    value = htonl(value);
    memcpy(bytes, &value, sizeof value);
}

/* A message begins with 16 bytes that are the same for all types; both windows stand at its end. */
static void say(int type, const unsigned char *sequence, size_t size) {
    unsigned char message[40] = {0x0a, 'L', 'B', 'R', 1, (unsigned char)type};
    memcpy(message + 8, session, 8);
    if (type == ACK) memcpy(message + 16, sequence, 8);
    if (type == ACK || type == HELLO) {
        unsigned char *window = message + (type == ACK ? 28 : 16);
        put(window, 4 << 20);
        put(window + 4, 1 << 20);
    }
    zmq_send(dealer, message, size, 0);
}

int main(int count, char **arguments) {
    if (count != 3) return 64;
    void *context = zmq_ctx_new();
    dealer = zmq_socket(context, ZMQ_DEALER);
    int interval = 1, patience = 1000, linger = 2000;
    zmq_setsockopt(dealer, ZMQ_RECONNECT_IVL, &interval, sizeof interval);
    zmq_setsockopt(dealer, ZMQ_RCVTIMEO, &patience, sizeof patience);
    zmq_setsockopt(dealer, ZMQ_LINGER, &linger, sizeof linger);
    long long drawn = now() * getpid() | 1;
    memcpy(session, &drawn, sizeof session);
    if (zmq_connect(dealer, arguments[1]) != 0) return 69;
    puts("ready");
    fflush(stdout);

    long long wanted = atoll(arguments[2]), lines = 0, bytes = 0, messages = 0, first = 0;
    unsigned char sequence[8] = {0};
    int is_known = 0, idle = 0;
    zmq_msg_t head, body;
    zmq_msg_init(&head);
    zmq_msg_init(&body);
    say(HELLO, NULL, 24);
    while (lines < wanted && idle < 20) {
        if (zmq_msg_recv(&head, dealer, 0) < 0) {
            idle++;
            if (is_known) say(ACK, sequence, 40);
            else say(HELLO, NULL, 24);
            continue;
        }
        int has_body = zmq_msg_more(&head);
        if (has_body) zmq_msg_recv(&body, dealer, 0);
        const unsigned char *message = zmq_msg_data(&head);
        if (zmq_msg_size(&head) < 16 || memcmp(message, "\nLBR\1", 5) != 0) continue;
        is_known = is_known || message[5] == BATCH || message[5] == PING;
        if (message[5] != BATCH || !has_body || memcmp(message + 8, session, 8) != 0) continue;
        if (messages++ == 0) first = now();
        lines += lines_of_batch(zmq_msg_data(&body), zmq_msg_size(&body), &bytes);
        memcpy(sequence, message + 16, 8);
        say(ACK, sequence, 40);
        idle = 0;
    }
    printf("%lld %lld %lld %lld %lld\n", lines, bytes, messages, first, now());
    say(BYE, NULL, 16);
    zmq_close(dealer);
    zmq_ctx_term(context);
    return 0;
}
