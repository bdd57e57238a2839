/* The peer that hayrack is held against: lines from standard input to a bound PUSH socket, as short as C can say it.
 *
 *     zmq_push ENDPOINT
 */
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

int main(int count, char **arguments) {
    if (count != 2) return 64;
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_PUSH);
    int mark = 20000; /* Its best: with 1,000 it waits more often, without a bound it grows to 300 MB in a second. */
    zmq_setsockopt(socket, ZMQ_SNDHWM, &mark, sizeof mark);
    if (zmq_bind(socket, arguments[1]) != 0) return 69;
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    while ((length = getline(&line, &size, stdin)) > 0) {
        if (line[length - 1] == '\n') length--;
        if (zmq_send(socket, line, (size_t)length, 0) < 0) return 74;
    }
    free(line);
    zmq_close(socket);
    zmq_ctx_term(context);
    return 0;
}
