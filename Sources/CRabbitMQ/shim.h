#include <sys/eventfd.h> /* which Swift's Glibc module leaves out */
#include <sys/time.h>
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>

/* amqp_login_with_properties takes variable arguments, which Swift cannot pass. */
static inline amqp_rpc_reply_t crabbitmq_login_plain(
    amqp_connection_state_t state, const char *vhost, int channel_max, int frame_max, int heartbeat,
    const amqp_table_t *properties, const char *user, const char *password) {
  return amqp_login_with_properties(
      state, vhost, channel_max, frame_max, heartbeat, properties, AMQP_SASL_METHOD_PLAIN, user, password);
}

/* OpenSSL's, without its headers: X509_VERIFY_PARAM_set_flags(3), SSL_CTX_get0_param(3). */
struct ssl_ctx_st;
struct X509_VERIFY_PARAM_st;
struct X509_VERIFY_PARAM_st *SSL_CTX_get0_param(struct ssl_ctx_st *context);
int X509_VERIFY_PARAM_set1_ip_asc(struct X509_VERIFY_PARAM_st *parameters, const char *address);

/* Wants a certificate for an address, which librabbitmq's own check of hosts knows nothing of; 0 where it is none. */
static inline int crabbitmq_expect_address(amqp_socket_t *socket, const char *address) {
  struct ssl_ctx_st *context = (struct ssl_ctx_st *)amqp_ssl_socket_get_context(socket);
  return X509_VERIFY_PARAM_set1_ip_asc(SSL_CTX_get0_param(context), address);
}
