/* Publishes 200-byte messages over librabbitmq with a window of confirms, as a program in C would.
   Arguments: port, exchange, messages, window. Prints the seconds it took. */
#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void check(int is_good, const char *what) {
  if (is_good) return;
  fprintf(stderr, "%s failed\n", what);
  exit(1);
}

int main(int argc, char **argv) {
  check(argc == 5, "reading the arguments");
  long count = atol(argv[3]), window = atol(argv[4]);
  char body[200];
  memset(body, 'x', sizeof body);
  amqp_connection_state_t connection = amqp_new_connection();
  amqp_socket_t *socket = amqp_tcp_socket_new(connection);
  check(amqp_socket_open(socket, "127.0.0.1", atoi(argv[1])) == AMQP_STATUS_OK, "connecting");
  check(amqp_login(connection, "/", 0, 131072, 20, AMQP_SASL_METHOD_PLAIN, "guest", "guest").reply_type ==
            AMQP_RESPONSE_NORMAL, "logging in");
  check(amqp_channel_open(connection, 1) != NULL, "opening a channel");
  check(amqp_confirm_select(connection, 1) != NULL, "confirm.select");
  amqp_bytes_t exchange = amqp_cstring_bytes(argv[2]);
  amqp_bytes_t bytes = {sizeof body, body};

  double start = now();
  long sent = 0, confirmed = 0;
  while (confirmed < count) {
    while (sent < count && sent - confirmed < window) {
      check(amqp_basic_publish(connection, 1, exchange, amqp_empty_bytes, 0, 0, NULL, bytes) == AMQP_STATUS_OK,
            "publishing");
      sent++;
    }
    /* One wait, then all that is there already. */
    struct timeval zero = {0, 0}, *timeout = NULL;
    for (;;) {
      amqp_frame_t frame;
      int status = amqp_simple_wait_frame_noblock(connection, &frame, timeout);
      if (status == AMQP_STATUS_TIMEOUT) break;
      check(status == AMQP_STATUS_OK, "reading");
      if (frame.frame_type == AMQP_FRAME_METHOD && frame.payload.method.id == AMQP_BASIC_ACK_METHOD) {
        amqp_basic_ack_t *ack = frame.payload.method.decoded;
        confirmed = ack->multiple ? (long)ack->delivery_tag : confirmed + 1;
      }
      amqp_maybe_release_buffers_on_channel(connection, 1);
      timeout = &zero;
      if (confirmed >= count) break;
    }
  }
  printf("%f\n", now() - start);
  amqp_connection_close(connection, AMQP_REPLY_SUCCESS);
  amqp_destroy_connection(connection);
  return 0;
}
