internal import CRabbitMQ
internal import Glibc

/// The authorities that Debian trusts; librabbitmq trusts none by itself.
private let systemAuthorities = "/etc/ssl/certs/ca-certificates.crt"

/// Makes the TCP connection, and TLS over it.
func connectSocket(of state: amqp_connection_state_t, to uri: BrokerURI, within timeout: Duration) throws(AMQPError) {
    let socket =
        if let tls = uri.tls { try tlsSocket(of: state, tls, host: uri.host) } else { amqp_tcp_socket_new(state) }
    guard let socket else { throw AMQPError(.systemError, "librabbitmq has no memory for a socket") }
    var time = timeval(timeout)
    errno = 0
    let status = amqp_socket_open_noblock(socket, uri.host, Int32(uri.port), &time)
    let number = errno
    if status != AMQP_STATUS_OK.rawValue { throw socketError(status, errno: number, uri) }
}

private func tlsSocket(
    of state: amqp_connection_state_t, _ tls: BrokerTLS, host: String
) throws(AMQPError) -> OpaquePointer? {
    guard let socket = amqp_ssl_socket_new(state) else { return nil }
    amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST)
    amqp_ssl_socket_set_verify_peer(socket, tls.verification.checksAuthority ? 1 : 0)
    let isAddress = tls.verification.checksHost && crabbitmq_expect_address(socket, host) == 1
    amqp_ssl_socket_set_verify_hostname(socket, tls.verification.checksHost && !isAddress ? 1 : 0)
    if tls.verification.checksAuthority {
        let file = tls.authorityFile ?? systemAuthorities
        if amqp_ssl_socket_set_cacert(socket, file) != AMQP_STATUS_OK.rawValue {
            throw AMQPError(.tlsFailed, "the file '\(file)' has no certificates of authorities that can be read")
        }
    }
    if let identity = tls.identity {
        if amqp_ssl_socket_set_key(socket, identity.certificateFile, identity.keyFile) != AMQP_STATUS_OK.rawValue {
            throw AMQPError(
                .tlsFailed,
                "the files '\(identity.certificateFile)' and '\(identity.keyFile)' cannot be read, or are no pair of "
                    + "certificate and key"
            )
        }
    }
    return socket
}

private func socketError(_ status: Int32, errno number: Int32, _ uri: BrokerURI) -> AMQPError {
    switch amqp_status_enum(status) {
    case AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED:
        AMQPError(.notConnected, "the name of broker \(uri) does not resolve")
    case AMQP_STATUS_TIMEOUT:
        AMQPError(.notConnected, "broker \(uri) does not accept a connection in time")
    case AMQP_STATUS_SSL_PEER_VERIFY_FAILED:
        // Of an address OpenSSL checks all at once.
        AMQPError(
            .tlsFailed,
            "the certificate of broker \(uri) is not signed by a trusted authority, or not valid now"
                + (isAddress(uri.host) ? ", or is not for '\(uri.host)'" : ""))
    case AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED:
        AMQPError(.tlsFailed, "the certificate of broker \(uri) is not for '\(uri.host)'")
    case AMQP_STATUS_SSL_CONNECTION_FAILED, AMQP_STATUS_SSL_ERROR:
        AMQPError(
            .tlsFailed,
            "the TLS handshake with broker \(uri) failed; is that its TLS port, and is this side's certificate right?")
    case AMQP_STATUS_SOCKET_ERROR where number == EINPROGRESS:
        // It was connecting in the background, and librabbitmq keeps to itself why that failed.
        AMQPError(
            .notConnected, "broker \(uri) cannot be reached: connection refused, or no way to it; does it run?")
    default:
        AMQPError(
            .notConnected,
            "broker \(uri) cannot be reached: "
                + (number == 0 ? String(cString: amqp_error_string2(status)) : String(cString: strerror(number))))
    }
}

/// Whether a host is an IPv4 or IPv6 address.
private func isAddress(_ host: String) -> Bool {
    var address = in6_addr()
    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1
}

/// Speaks the first words of AMQP.
func logIn(
    _ state: amqp_connection_state_t, to uri: BrokerURI, name: String, heartbeat: Duration, within timeout: Duration
) throws(AMQPError) {
    var time = timeval(timeout)
    amqp_set_handshake_timeout(state, &time)
    let memory = CMemory()
    var properties = memory.table([
        "product": "Libra AMQP",
        "connection_name": .string(String(decoding: name.utf8.prefix(255), as: UTF8.self)),
        "capabilities": .table([
            "basic.nack": true, "publisher_confirms": true, "connection.blocked": true, "consumer_cancel_notify": true,
            "authentication_failure_close": true,
        ]),
    ])
    let reply = crabbitmq_login_plain(
        state, uri.virtualHost, 0, Int32(ConnectionHandle.largestFrame), Int32(heartbeat.components.seconds),
        &properties, uri.user, uri.password)
    switch reply.reply_type {
    case AMQP_RESPONSE_NORMAL: return
    case AMQP_RESPONSE_SERVER_EXCEPTION where reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD:
        guard let close = reply.reply.decoded?.assumingMemoryBound(to: amqp_connection_close_t.self).pointee else {
            throw AMQPError(.protocolViolation, "broker \(uri) ended the login without a reason")
        }
        throw refusal(code: Int(close.reply_code), text: text(close.reply_text), uri)
    default: throw loginError(reply.library_error, uri)
    }
}

private func refusal(code: Int, text: String, _ uri: BrokerURI) -> AMQPError {
    switch code {
    // ACCESS_REFUSED comes for both; only the login itself speaks of its mechanism.
    case 403 where text.contains("mechanism") || text.contains("Login"):
        AMQPError(
            .accessRefused, "broker \(uri) refuses the name or the password of user '\(uri.user)'", replyCode: code,
            replyText: text)
    case 402, 403, 404, 530:
        AMQPError(
            .virtualHostRefused,
            "broker \(uri) has no virtual host '\(uri.virtualHost)', or user '\(uri.user)' may not use it: \(text)",
            replyCode: code, replyText: text)
    default:
        AMQPError(.closedByBroker, "broker \(uri) ended the login: \(code) \(text)", replyCode: code, replyText: text)
    }
}

private func loginError(_ status: Int32, _ uri: BrokerURI) -> AMQPError {
    switch amqp_status_enum(status) {
    case AMQP_STATUS_TIMEOUT:
        AMQPError(.notConnected, "broker \(uri) accepts connections and does not answer; is that an AMQP port?")
    case AMQP_STATUS_CONNECTION_CLOSED, AMQP_STATUS_SOCKET_ERROR, AMQP_STATUS_SOCKET_CLOSED, AMQP_STATUS_SSL_ERROR:
        if uri.tls != nil {
            // In TLS 1.3 a server that does not take the client's certificate says so after the handshake.
            AMQPError(
                .tlsFailed, "broker \(uri) ends TLS before the login; does it want another certificate of this side?")
        } else {
            AMQPError(
                .notConnected, "broker \(uri) closes the connection before the login; is that its port without TLS?")
        }
    case AMQP_STATUS_BROKER_UNSUPPORTED_SASL_METHOD:
        AMQPError(.accessRefused, "broker \(uri) does not offer a login by name and password (PLAIN)")
    case AMQP_STATUS_INCOMPATIBLE_AMQP_VERSION, AMQP_STATUS_BAD_AMQP_DATA, AMQP_STATUS_WRONG_METHOD:
        AMQPError(.protocolViolation, "broker \(uri) does not speak AMQP 0-9-1")
    default:
        AMQPError(
            .notConnected, "the login at broker \(uri) failed: \(String(cString: amqp_error_string2(status)))")
    }
}

extension timeval {
    init(_ duration: Duration) {
        let parts = duration.components
        self.init(tv_sec: Int(parts.seconds), tv_usec: Int(parts.attoseconds / 1_000_000_000_000))
    }
}
